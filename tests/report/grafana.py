#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The dashboards of docs/examples/grafana ask for metrics and labels that
`sobre report --format prom` writes, for all of its metrics, and are the same
in both languages but for their words."""
import json
import pathlib
import re
import sys
import tempfile

import pages

FOLDER = pages.HERE.parents[1] / "docs/examples/grafana"
SERIES = re.compile(r'(\w+)\{(.*)\} \S+')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
NAME = re.compile(r"\b(sobrefs_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
BY = re.compile(r"\bby \(([^)]*)\) \(")
VALUES = re.compile(r"label_values\((.+), (\w+)\)")
# Only these may differ from one language to the other.
WORDS = {"title", "description", "label", "uid", "legendFormat", "text",
         "renameByName", "displayName"}


def written():
    """{metric: {label: values}}, of every sample."""
    known = {}
    with tempfile.TemporaryDirectory() as home:
        for sample in pages.SAMPLES:
            pages.write(sample, "en", f"{home}/{sample}")
            for path in pathlib.Path(home, sample).glob("*.prom"):
                for m in filter(None, map(SERIES.fullmatch,
                                          path.read_text().splitlines())):
                    labels = known.setdefault(m[1], {})
                    for name, value in LABEL.findall(m[2]):
                        labels.setdefault(name, set()).add(value)
    return known


def wrong_matchers(metric, matchers, labels):
    for name, how, value in matchers:
        if name not in labels:
            yield f"{metric} has no label {name}"
        elif "$" not in value and how in ("=", "=~"):
            for one in value.split("|") if how == "=~" else [value]:
                if not any(re.fullmatch(one, v) for v in labels[name]):
                    yield f"{metric}: no {name} is {one}"


def wrong_query(expr, legend, known):
    if not NAME.findall(expr):
        yield f"{expr}: asks for no metric"
    for metric, inside in NAME.findall(expr):
        if metric not in known:
            yield f"there is no metric {metric}"
            continue
        yield from wrong_matchers(metric, MATCHER.findall(inside),
                                  known[metric])
        by = BY.search(expr)
        kept = by[1].split(", ") if by else known[metric]
        for label in kept:
            if label not in known[metric]:
                yield f"{expr}: no label {label}"
        for label in re.findall(r"{{(\w+)}}", legend):
            if label not in kept:
                yield f"{expr}: the legend's {label} is not there"


def queries(board):
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield target["expr"], target["legendFormat"]
    for variable in board["templating"]["list"]:
        m = VALUES.fullmatch(variable.get("definition", ""))
        if m:
            yield m[1], "{{%s}}" % m[2]


def check(board, known):
    bad = [wrong for expr, legend in queries(board)
           for wrong in wrong_query(expr, legend, known)]
    asked = {metric for expr, _ in queries(board)
             for metric, _ in NAME.findall(expr)}
    bad += [f"{metric} is shown nowhere" for metric in known.keys() - asked]
    ids = [panel["id"] for panel in board["panels"]]
    if len(set(ids)) != len(ids):
        bad.append("two panels of one id")
    bad += [f"a panel without {key}" for panel in board["panels"]
            for key in ("title", "description") if not panel[key]]
    return bad


def plain(value, key=""):
    """Without words."""
    if key in WORDS:
        return None
    if isinstance(value, dict):
        if "matcher" in value:
            value = {k: v for k, v in value.items() if k != "matcher"}
        return {k: plain(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def main():
    known = written()
    boards = {lang: json.loads((FOLDER / f"sobrefs-{lang}.json").read_text())
              for lang in pages.LANGS}
    bad = [f"{lang}: {wrong}" for lang, board in boards.items()
           for wrong in check(board, known)]
    if plain(boards["fr"]) != plain(boards["en"]):
        bad.append("the dashboards differ by more than their words")
    n = sum(len(list(queries(board))) for board in boards.values())
    for expr in ("sobrefs_x", 'sobrefs_logical_bytes{tier="hot"}',
                 'sobrefs_stored_bytes{tier="warm"}',
                 "sum by (part) (sobrefs_logical_bytes)", "up"):
        if not list(wrong_query(expr, "", known)):
            bad.append(f"{expr} passes for good")
    print(*bad, sep="\n")
    print(f"{n} queries over {len(known)} metrics, {len(bad)} problems")
    sys.exit(bool(bad))


main()
