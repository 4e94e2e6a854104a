"""Writes rows.json: texts of delimiter-separated values, whole ones and any muddle of quotes and line ends, and the rows that Python's csv module makes of them
(which pandas and 🤗 datasets follow). Rows of one empty field are left out: they are blank lines. Run: python make_tables.py"""
import csv
import io
import json
import random
from pathlib import Path

PIECES = ["a", "b", '"', '"', '""', "\n", "\r\n", "\r", " ", "é"]


def rows_of(text, delimiter):
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [row for row in rows if len(row) > 1 or row[:1] not in ([], [""])]


def whole(roll, delimiter):
    field = lambda: "".join(roll.choices(["a", "b", '"', delimiter, "\n", "\r\n", " ", "é"], k=roll.randrange(5)))
    out = io.StringIO(newline="")
    end = roll.choice(["\n", "\r\n", "\r"])
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=roll.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    for _ in range(1 + roll.randrange(4)):
        writer.writerow([field() for _ in range(1 + roll.randrange(4))])
    text = out.getvalue()
    return text.removesuffix(end) if roll.random() < 0.5 else text


roll = random.Random(0)
cases = []
for i in range(600):
    delimiter = ",;\t|"[i % 4]
    text = whole(roll, delimiter) if i < 300 else "".join(roll.choices([*PIECES, delimiter, delimiter], k=1 + roll.randrange(16)))
    cases.append([delimiter, text, rows_of(text, delimiter)])
lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
Path(__file__).with_name("rows.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
