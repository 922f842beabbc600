# SPDX-License-Identifier: EUPL-1.2
"""What must hold of a charter's JSON, whatever the drive."""

ROWS = 18
NUMBERS = ("low_micro", "high_micro", "before_micro", "target_micro")
KEYS = {"id", "label", "unit", "value_micro", "source", "why", *NUMBERS}


def check_indicator(one):
    bad = []
    if set(one) != KEYS:
        bad.append(f"keys {sorted(set(one) ^ KEYS)}")
    known = one["value_micro"] is not None
    if known == (one["why"] is not None):
        bad.append("a value, or why there is none")
    if known and one["source"] == "none":
        bad.append("a value from nowhere")
    if one["low_micro"] is not None and not \
            one["low_micro"] <= one["value_micro"] <= one["high_micro"]:
        bad.append("a value outside of its bounds")
    bad += [f"{key} is {one[key]!r}" for key in ("value_micro", *NUMBERS)
            if type(one[key]) not in (int, type(None))]
    return [f"{one['id']}: {b}" for b in bad]


def check(told):
    rows = told["commitments"]
    bad = []
    if [row["number"] for row in rows] != list(range(1, ROWS + 1)):
        bad.append("not the eighteen commitments")
    ones = [one for row in rows for one in row["indicators"]]
    if len({one["id"] for one in ones}) != len(ones):
        bad.append("an indicator comes twice")
    bad += [f"nothing of {row['number']}" for row in rows
            if not row["indicators"] or not row["title"] or not row["does"]]
    for one in ones:
        bad += check_indicator(one)
    return bad
