"""Writes arity.json: inputs and outputs of every operator by version, out of the schemas of onnx and onnxruntime.

A pattern has a letter for each: s is required, o may be left out, * stands for any number more. By operator, a list of
[first version, inputs, outputs] for the versions in force at opsets 7 to 26 (com.microsoft has only version 1).
"""

import json
from pathlib import Path

import onnx
from onnxruntime.capi import _pybind_state as ort

OLDEST, NEWEST = 7, 26


def pattern(parameters) -> str:
    text = ""
    for p in parameters:
        kind = str(p.option).split(".")[-1].split(":")[0]
        if kind == "Variadic":
            text += "s" * getattr(p, "min_arity", 1) + "*"
        else:
            text += "s" if kind == "Single" else "o"
    return text


table: dict[str, list] = {}


def add(key: str, version: int, schema) -> None:
    rows = table.setdefault(key, [])
    row = [version, pattern(schema.inputs), pattern(schema.outputs)]
    if not rows or rows[-1][1:] != row[1:]:
        rows.append(row)


history: dict[str, list] = {}
for s in onnx.defs.get_all_schemas_with_history():
    if s.domain in ("", "ai.onnx.ml"):
        history.setdefault(s.name if s.domain == "" else f"{s.domain}::{s.name}", []).append(s)
for key, schemas in sorted(history.items()):
    schemas.sort(key=lambda s: s.since_version)
    for i, s in enumerate(schemas):
        after = schemas[i + 1].since_version if i + 1 < len(schemas) else None
        if s.deprecated or s.since_version > NEWEST or (s.domain == "" and after is not None and after <= OLDEST):
            continue
        add(key, max(s.since_version, OLDEST if s.domain == "" else 1), s)
for s in sorted(ort.get_all_operator_schema(), key=lambda s: s.name):
    if s.domain == "com.microsoft":
        add(f"com.microsoft::{s.name}", 1, s)

rows = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in sorted(table.items()))
Path(__file__).with_name("arity.json").write_text("{\n" + rows + "\n}\n")
