#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Every sample's JSON against docs/format/report.schema.json, that of a year
against year.schema.json, the charter's against charter.schema.json, by ajv.
Every key is in the schema, and every key of the schema in a sample. Exit status
77 without node or ajv, which tools/setup --tests installs.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pages

FORMATS = pages.HERE.parents[1] / "docs/format"
# The schema of the files of each folder.
SCHEMAS = {pages.MONTH: FORMATS / "report.schema.json",
           pages.YEAR: FORMATS / "year.schema.json",
           "charter": FORMATS / "charter.schema.json"}


def validate(modules, folder, paths):
    done = subprocess.run(
        ["node", pages.HERE / "schema.js", modules, SCHEMAS[folder], *paths],
        capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout.splitlines()


def objects(node, where=""):
    """The objects of a schema, with the place of each."""
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield where, node
        for key, value in node.items():
            yield from objects(value, f"{where}/{key}")


def loose(schema):
    return [f"schema{where}: additionalProperties is not false"
            for where, node in objects(schema)
            if node.get("additionalProperties") is not False]


def keys_of(value):
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from keys_of(item)


def never_seen(schema, seen):
    return [f"schema{where}: no sample has '{key}'"
            for where, node in objects(schema)
            for key in node["properties"] if key not in seen]


def first_of(value, path):
    for key in path:
        value = value[key]
    return value


def check_the_checker(modules, good, folder):
    """What is wrong must be found wrong, or nothing else says anything."""
    for path, key, value in (
            ((), "new_key", 1), ((), "drive", None), ((), "seen", "yes"),
            ((), "observed_s", 2.5), ((), "closed", {}),
            (("total",), "own_byte_s", 12), (("total", "cost_ueur"), "x", 1),
            (("lines", 0), "id", None), (("months", 0), "month", "2026-13"),
            (("coefficients", 0), "quality", "D"), ((), "made", "today")):
        bad = json.loads(json.dumps(good))
        at = first_of(bad, path)
        at[key] = value
        if value is None:
            del at[key]
        file = pathlib.Path(folder) / "canary.json"
        file.write_text(json.dumps(bad))
        if not validate(modules, pages.MONTH, [file]):
            sys.exit(f"passes for the schema: {path} {key} {value}")


def main():
    modules = pages.modules("ajv/dist/2020.js")
    if not modules or not shutil.which("node"):
        pages.skip("no ajv: tools/setup --tests installs it")
    bad, n = [], 0
    with tempfile.TemporaryDirectory() as home:
        for sample in pages.SAMPLES:
            for lang in pages.LANGS:
                pages.write(sample, lang, f"{home}/{sample}-{lang}")
        home = pathlib.Path(home)
        town = home / "town-en" / pages.MONTH / "index.json"
        check_the_checker(modules, json.loads(town.read_text()), home)
        for folder, path in SCHEMAS.items():
            schema, seen = json.loads(path.read_text()), set()
            paths = sorted(home.glob(f"*/{folder}/*.json"))
            for file in paths:
                seen.update(keys_of(json.loads(file.read_text())))
            n += len(paths)
            bad += [f"{path.name}: {b}" for b in
                    loose(schema) + never_seen(schema, seen) +
                    validate(modules, folder, paths)]
    print(*bad[:40], sep="\n")
    print(f"{n} files, {len(bad)} problems")
    sys.exit(bool(bad))


main()
