"""Runs several of these scripts in one process: importing torch and the tools takes longer than most of what they do.

    python together.py SCRIPT ARGUMENTS … -- SCRIPT ARGUMENTS …

The exit status is 1 if one of them failed; the others run all the same.
"""

import runpy
import sys
import traceback
from itertools import groupby
from pathlib import Path


def run(script: str, *arguments: str) -> bool:
    sys.argv = [script, *arguments]
    try:
        runpy.run_path(str(Path(__file__).parent / script), run_name="__main__")
    except SystemExit as end:
        return not end.code
    except Exception:  # What one script stumbles over must not hide what the next one finds.
        traceback.print_exc()
        return False
    return True


def main() -> None:
    commands = [list(words) for separator, words in groupby(sys.argv[1:], "--".__eq__) if not separator]
    results = [run(*command) for command in commands]
    sys.exit(0 if results and all(results) else 1)


if __name__ == "__main__":
    main()
