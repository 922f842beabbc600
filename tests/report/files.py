#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Every file of every sample's report, without a browser: well formed, within
its budget, harmless, adding up; those in tests/data/report/ to the byte.
--update writes these anew: look at what git says has changed.
"""
import csv
import difflib
import fractions
import html
import html.parser
import io
import json
import pathlib
import re
import sys
import tempfile

import charter
import pages

GOLDEN = pages.HERE.parent / "data/report"
GOLDEN_FILES = (
    ("town", "fr", "index.html"), ("town", "fr", "urb.html"),
    ("town", "fr", "urb-annex.html"), ("town", "en", "index-annex.html"),
    ("town", "en", "urb.html"), ("part", "en", "index.html"),
    ("part", "fr", "urb.html"), ("never", "fr", "index.html"),
    ("future", "en", "index.html"), ("assessed", "fr", "index.html"),
    ("hostile", "en", "_1.html"), ("hostile", "en", "_1-annex.html"),
    ("hostile", "fr", "_1-tableur.csv"),
    ("town", "fr", "index-impact.csv"), ("hostile", "en", "index-impact.csv"),
    ("oracle", "en", "index.html"), ("oracle", "en", "index.csv"),
    ("oracle", "en", "index-tableur.csv"), ("oracle", "en", "index.json"),
    ("town", "fr", "charter-2026.html"), ("town", "en", "charter-2026.json"),
    ("never", "en", "charter-2026.html"),
)
GOLDEN_YEARS = (
    ("town", "fr", "index.html"), ("part", "en", "index.html"),
    ("town", "fr", "index-tableur.csv"), ("oracle", "en", "index.json"),
    ("oracle", "en", "index.csv"), ("town", "fr", "index-impact.csv"),
)
VOID = {"meta", "link", "br", "img", "input", "hr"}
# Controls, directions, invisible characters: none of them in a page.
ACTING = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f"
                    "\u2028-\u202e\u2060-\u206f\ufeff]")
FORMULA = re.compile(r" *[=+\-@\t\r]")
E9, E6 = 10**9, 10**6


class Page(html.parser.HTMLParser):
    """Elements must nest, close and have what accessibility asks of them."""

    def __init__(self):
        super().__init__()
        self.open, self.bad, self.ids = [], [], []
        self.elements, self.svg, self.heading = 0, 0, 0
        self.links, self.refs, self.seen = [], [], []

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        if len(known) != len(attrs):
            self.bad.append(f"<{tag}> has an attribute twice")
        if "svg" in self.open:
            self.svg += 1
        else:
            self.elements += 1
            self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [known["id"]] if "id" in known else []
        for name in ("aria-labelledby", "aria-describedby"):
            self.refs += known.get(name, "").split()
        if "href" in known:
            self.links.append(known["href"])
        self.bad += [f"<{tag} {name}>" for name in known
                     if name.startswith("on") or name in ("src", "style")]
        if tag == "th" and known.get("scope") not in ("col", "row"):
            self.bad.append("a <th> without scope")
        if re.fullmatch("h[1-6]", tag):
            if int(tag[1]) > self.heading + 1:
                self.bad.append(f"<{tag}> after <h{self.heading}>")
            self.heading = int(tag[1])

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.bad.append(f"</{tag}> closes another element")


def check_page(path, text, folder):
    page = Page()
    page.feed(text)
    page.close()
    bad = page.bad
    bad += [f"<{tag}> is never closed" for tag in page.open]
    bad += [f"{tag}: {page.seen.count(tag)} of them" for tag in
            ("html", "title", "main", "header", "footer", "h1", "style")
            if page.seen.count(tag) != 1]
    if page.seen.count("table") != page.seen.count("caption"):
        bad.append("a table without a caption")
    if len(set(page.ids)) != len(page.ids):
        bad.append("an id comes twice")
    bad += [f"no id {r}" for r in set(page.refs) - set(page.ids)]
    for link in page.links:
        there = link[1:] in page.ids if link.startswith("#") else \
            re.fullmatch(r"[A-Za-z0-9._-]+", link) and \
            (folder / link).is_file()
        if not there:
            bad.append(f"a link to {link}")
    size, elements = pages.budget(path.name)
    if path.stat().st_size > size or page.elements > elements or \
            page.svg > pages.SVG_NODES:
        bad.append(f"{path.stat().st_size} bytes, {page.elements} elements, "
                   f"{page.svg} in SVG")
    return bad


def check_harmless(path, text):
    bad = []
    if path.suffix != ".json" and ACTING.search(text.removeprefix("\ufeff")):
        bad.append("a character that acts on the text around it")
    if path.suffix == ".csv":
        tableur = path.name.endswith("-tableur.csv")
        if text.startswith("\ufeff") != tableur:
            bad.append("a byte order mark: in the spreadsheet's file only")
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")),
                               delimiter=";" if tableur else ","))
        bad += [f"a formula: {cell!r}" for row in rows for cell in row
                if FORMULA.match(cell)]
        if len({len(row) for row in rows}) != 1:
            bad.append("rows of different lengths")
    return bad


FOCUS = """BillingAccountId BillingAccountName BillingCurrency
BillingPeriodStart BillingPeriodEnd ChargeCategory ChargePeriodStart
ChargePeriodEnd ConsumedQuantity ConsumedUnit BilledCost EffectiveCost
ProviderName ServiceCategory ServiceName SubAccountId SubAccountName
ResourceId ResourceName Tags AllocatedMethodId x_Tier x_ShareKind
x_LogicalTbMonths x_StoredTbMonths x_EnergyKwh x_EnergyKwhLow
x_EnergyKwhHigh x_OperationalKgCo2e x_EmbodiedKgCo2e x_CarbonMethod
x_Measured x_CoefficientSet""".split()
# What may be empty, and what others must be.
MAY_BE_EMPTY = {"SubAccountId", "Tags", "x_Tier", "x_LogicalTbMonths"}
CELL = {
    "(Billing|Charge)Period": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "ConsumedQ|EffectiveC|BilledC|x_.*(Kwh|Co2e|TbMonths)":
        r"([0-9]+(\.[0-9]+)?)?",
    "x_Tier": "(hot|packed|archive|state)?",
    "x_ShareKind": "own|shared|io|overhead|reserve",
    "x_Measured": "true|false", "x_CoefficientSet": "[0-9a-f]{16}",
}


def check_focus(path):
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    if rows and [*rows[0]] != FOCUS:
        return [f"its columns are {[*rows[0]]}"]
    bad = [f"{name} is empty" for row in rows for name, cell in row.items()
           if not cell and name not in MAY_BE_EMPTY]
    bad += [f"{name} is {cell!r}" for row in rows for name, cell in row.items()
            for column, wanted in CELL.items()
            if re.match(column, name) and not re.fullmatch(wanted, cell)]
    bad += [f"Tags are {row['Tags']}" for row in rows if row["Tags"]
            and [*json.loads(row["Tags"])] != ["entity"]]
    return bad


def exact(text, unit):
    value = fractions.Fraction(text.replace(",", ".")) * unit
    assert value.denominator == 1, text
    return int(value)


def check_sums(folder, stem):
    """Both CSVs and the JSON tell the same total."""
    bad = []
    told = json.loads((folder / f"{stem}.json").read_text())["total"]
    rows = list(csv.DictReader(io.StringIO(
        (folder / f"{stem}.csv").read_text())))
    for column, unit, want in (
            ("x_EnergyKwh", E6, told["energy_mwh"]["all"]),
            ("EffectiveCost", E6, told["cost_ueur"]["all"]),
            ("x_OperationalKgCo2e", E9, told["use_ugco2e"]["all"]),
            ("x_EmbodiedKgCo2e", E9, told["build_ugco2e"]["all"]),
            ("ConsumedQuantity", E9,
             int(told["own_byte_s"]) + int(told["shared_byte_s"]))):
        total = sum(exact(row[column], unit) for row in rows)
        if total != want:
            bad.append(f"{stem}: {column} adds up to {total}, not {want}")
    text = (folder / f"{stem}-tableur.csv").read_text().removeprefix("\ufeff")
    head, *rows, last = csv.reader(io.StringIO(text), delimiter=";")
    for i in (*range(3, 6), *range(8, len(head))):  # not the bounds
        parts = sum(exact(row[i] or "0", E9) for row in rows)
        if parts != exact(last[i], E9):
            bad.append(f"{stem}: {head[i]} does not add up")
    return bad


# schema-impact-service-public-numerique v0.5.0, of schema.data.gouv.fr.
IMPACT = {
    "administration_rattachement": None, "nom_service_public_numerique": None,
    "indicateur": None, "valeur": r"[0-9]+(\.[0-9]+)?", "unite_mesure": None,
    "est_cible": "true|false", "type_indicateur": "usage|impact",
    "frequence_monitoring": "quotidienne|hebdomadaire|mensuelle|annuelle|"
                            "trimestrielle|semestrielle|autre",
    "date": r"\d{4}-\d\d-\d\d", "est_periode": "true|false",
    "date_debut": r"(\d{4}-\d\d-\d\d)?", "est_automatise": "true|false",
    "source_collecte": None,
    "denom_insee": "(REG|DEP|COM|ARR|COMER|COM_COMER|COG|CTCD|CAN)?",
    "code_insee": ".*",
    "dataviz_wish": "(linechart|barchart|map|scatterplot|piechart)?",
    "commentaires": ".*",
}


def impact_rows(path):
    """Open data as its schema has it, and what is wrong with it."""
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    if [*rows[0]] != [*IMPACT]:
        return rows, [f"its columns are {[*rows[0]]}"]
    bad = [f"{name} is {row[name]!r}" for row in rows
           for name, wanted in IMPACT.items()
           if not re.fullmatch(wanted or "(?s:.+)", row[name])]
    bad += [f"{row['date_debut']} is after {row['date']}" for row in rows
            if row["date_debut"] > row["date"] or row["est_periode"] != "true"]
    return rows, bad


def check_impact(path, told):
    """The JSON's totals, too."""
    rows, bad = impact_rows(path)
    total = told["total"]
    wanted = [("kWh", E6, "energy_mwh"), ("EUR", E6, "cost_ueur"),
              ("kgCO2e", E9, "use_ugco2e"), ("kgCO2e", E9, "build_ugco2e")]
    for row, (unit, scale, key) in zip(rows, wanted):
        if row["unite_mesure"] != unit or \
                exact(row["valeur"], scale) != total[key]["all"]:
            bad.append(f"{row['indicateur']}: {row['valeur']}")
    return bad


def check_year_impact(path, told):
    """The year's figures, and its targets marked as such."""
    if not path.exists():
        return []
    rows, bad = impact_rows(path)
    found = {(row["unite_mesure"], row["est_cible"]):
             fractions.Fraction(row["valeur"]) for row in rows}
    wanted = {("kWh", "true"): ("target", "energy_mwh", E6),
              ("kgCO2e", "true"): ("target", "ugco2e", E9)}
    if told["total"]["months"]:
        wanted.update({("kWh", "false"): ("total", "energy_mwh", E6),
                       ("EUR", "false"): ("total", "cost_ueur", E6)})
    return bad + [f"{key} is {found.get(key)}"
                  for key, (part, name, unit) in wanted.items()
                  if found.get(key, -1) * unit != told[part][name]]


def check_year(folder):
    """The year's files tell the same sums."""
    told = json.loads((folder / "index.json").read_text())
    total = told["total"]
    rows = list(csv.DictReader(io.StringIO(
        (folder / "index.csv").read_text())))
    bad = []
    for column, unit, key in (("EnergyKwh", E6, "energy_mwh"),
                              ("CostEur", E6, "cost_ueur"),
                              ("OperationalKgCo2e", E9, "use_ugco2e"),
                              ("EmbodiedKgCo2e", E9, "build_ugco2e")):
        sums = {"total": total[key],
                "rows": sum(exact(row[column], unit) for row in rows),
                "months": sum(m.get(key, 0) for m in told["months"]),
                "lines": sum(line[key] for line in told["lines"])}
        if len(set(sums.values())) != 1:
            bad.append(f"{key}: {sums}")
    if len({row["Month"] for row in rows}) != total["months"]:
        bad.append(f"{total['months']} months, not those of the rows")
    text = (folder / "index-tableur.csv").read_text().removeprefix("\ufeff")
    table = {row[1] + row[0][:3]: row
             for row in csv.reader(io.StringIO(text), delimiter=";")}
    if total["months"] and \
            exact(table["kWh" + "Éle"][2], E6) != total["energy_mwh"]:
        bad.append("the spreadsheet's kWh")
    bad += check_year_impact(folder / "index-impact.csv", told)
    for path in sorted(folder.iterdir()):
        text = path.read_bytes().decode()
        wrong = check_harmless(path, text)
        if path.suffix == ".html":
            wrong += check_page(path, text, folder)
        bad += [f"{path.name}: {w}" for w in wrong]
    return [f"year: {b}" for b in bad]


METRIC = re.compile(r'(sobrefs_[a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\.)*",?)+)\} '
                    r"([0-9]+(?:\.[0-9]+)?)")


def check_metrics(place, folder):
    """What a collector reads: each family once, told with its type, and the
    same sums as the JSON."""
    bad, sums, seen = [], {}, set()
    paths = list(place.glob("*.prom"))
    if len(paths) != 1:
        return [f"{len(paths)} files of metrics"]
    family = None
    for line in paths[0].read_text().splitlines():
        if line.startswith("# "):
            family = line.split()[2]
            continue
        m = METRIC.fullmatch(line)
        if not m or m[1] != family or (m[1], m[2]) in seen:
            bad.append(f"metrics: {line!r}")
            continue
        seen.add((m[1], m[2]))
        key = (m[1], "build" if 'stage="build"' in m[2] else "")
        sums[key] = sums.get(key, 0) + fractions.Fraction(m[3])
    told = json.loads((folder / "index.json").read_text())
    if told["seen"] in ("future", "never"):
        return bad + [f"metrics of nothing: {k}" for k in sums
                      if k[0].endswith("_total")]
    total = told["total"]
    for key, want in (
            (("sobrefs_energy_joules_total", ""),
             fractions.Fraction(total["energy_mwh"]["all"] * 36, 10)),
            (("sobrefs_cost_euros_total", ""),
             fractions.Fraction(total["cost_ueur"]["all"], E6)),
            (("sobrefs_emissions_grams_total", ""),
             fractions.Fraction(total["use_ugco2e"]["all"], E6)),
            (("sobrefs_emissions_grams_total", "build"),
             fractions.Fraction(total["build_ugco2e"]["all"], E6))):
        if sums.get(key) != want:
            bad.append(f"metrics: {key} adds up to {sums.get(key)}, "
                       f"not {want}")
    return bad


def check_names(folder, stem):
    """File names are on their department's page and nowhere else."""
    told = json.loads((folder / f"{stem}.json").read_text())
    paths = [f["path"] for rule in told["rules"]
             for f in rule.get("biggest", ())]
    if stem == "index" and paths:
        return ["file names in the city's JSON"]
    others = {p.name: html.unescape(p.read_text()) for p in folder.iterdir()
              if p.stem not in (stem, f"{stem}-annex")} if paths else {}
    return [f"a file of {stem} in {name}" for path in paths
            for name, text in others.items() if path[:30] in text]


FOLDER = re.compile(r'<tr><th scope="row">(/[^<]*)</th>')


def check_folders(folder):
    """Folders are named in the annex of their department and nowhere else."""
    bad, found = [], {}
    for path in folder.glob("*.html"):
        text = path.read_text()
        if 'id="folders"' in text:
            table = text.split('id="folders"')[1].split("</table>")[0]
            found[path.stem] = set(FOLDER.findall(table))
    if "index-annex" in found:
        bad.append("folders in the city's annex")
    for stem, names in found.items():
        if not names:
            bad.append(f"{stem}: no folder is named")
        bad += [f"a folder of {stem} in {p.name}" for p in folder.iterdir()
                for name in names
                if p.stem != stem and name in p.read_text()]
    return bad


def check_folder(folder):
    bad = check_folders(folder)
    for path in sorted(folder.iterdir()):
        text = path.read_bytes().decode()  # or it is not UTF-8
        wrong = check_harmless(path, text)
        if path.suffix == ".csv" and not \
                re.search("-(tableur|impact)$", path.stem):
            wrong += check_focus(path)
        if path.name == "index-impact.csv":
            wrong += check_impact(path, json.loads(
                (folder / "index.json").read_text()))
        if path.suffix == ".html":
            wrong += check_page(path, text, folder)
        if path.suffix == ".json":
            wrong += check_sums(folder, path.stem)
            wrong += check_names(folder, path.stem)
        bad += [f"{path.name}: {w}" for w in wrong]
    told = json.loads((folder / "index.json").read_text())
    if (folder / "index-impact.csv").exists() != \
            ("oracle" not in folder.parent.name
             and told["seen"] in ("part", "whole") and not told["assessed"]):
        bad.append("open data: of a drive whose organisation is said")
    if any(path.name.startswith(".") for path in folder.iterdir()):
        bad.append("a temporary file is left")
    return bad


def check_charter(folder):
    bad = []
    for path in sorted(folder.glob("charter-*")):
        text = path.read_bytes().decode()
        wrong = check_harmless(path, text)
        if path.suffix == ".html":
            wrong += check_page(path, text, folder)
        else:
            wrong += charter.check(json.loads(text))
        bad += [f"{path.name}: {w}" for w in wrong]
    return bad


def compare(got, name, update):
    golden = GOLDEN / name
    new = got.read_bytes()
    if update:
        golden.write_bytes(new)
        return []
    old = golden.read_bytes() if golden.is_file() else b""
    if old == new:
        return []
    lines = difflib.unified_diff(old.decode().splitlines(),
                                 new.decode().splitlines(), name, "now",
                                 lineterm="", n=0)
    return [f"{name} has changed (files.py --update):",
            *[line[:300] for line in lines][:20]]


def main():
    update = sys.argv[1:] == ["--update"]
    bad, n = [], 0
    with tempfile.TemporaryDirectory() as home:
        for sample in pages.SAMPLES:
            for lang in pages.LANGS:
                place = pathlib.Path(home) / f"{sample}-{lang}"
                pages.write(sample, lang, place)
                first = {p.name: p.stat().st_ino
                         for p in (place / pages.MONTH).iterdir()}
                folder = pages.write(sample, lang, place)  # replaces
                bad += [f"{sample} {lang} {name}: not replaced"
                        for name, ino in first.items()
                        if (folder / name).stat().st_ino == ino]
                n += len(first)
                bad += [f"{sample} {lang} {b}" for b in
                        check_folder(folder) + check_metrics(place, folder) +
                        check_year(place / pages.YEAR) +
                        check_charter(pages.charter(folder))]
                for s, l, name in GOLDEN_FILES:
                    if (s, l) == (sample, lang):
                        there = pages.charter(folder) if \
                            name.startswith("charter-") else folder
                        bad += compare(there / name, f"{s}-{l}-{name}",
                                       update)
                for s, l, name in GOLDEN_YEARS:
                    if (s, l) == (sample, lang):
                        bad += compare(place / pages.YEAR / name,
                                       f"{s}-{l}-year-{name}", update)
    print(*bad, sep="\n")
    print(f"{n} files, {len(bad)} problems")
    sys.exit(bool(bad))


main()
