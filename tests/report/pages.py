# SPDX-License-Identifier: EUPL-1.2
"""What the tests of the report's pages share."""
import os
import pathlib
import subprocess
import sys

SKIPPED = 77
SAMPLES = ("town", "crowd", "hostile", "part", "never", "future", "oracle",
           "assessed")
LANGS = ("en", "fr")
MONTH = "2026-09"
YEAR = "2026"
HERE = pathlib.Path(__file__).resolve().parent

# Where tools/setup --tests puts what checks pages.
WHERE = ("/var/cache/sobrefs/report-tests",
         str(pathlib.Path.home() / ".cache/sobrefs/report-tests"))

# docs/design/report.md, "Budget"
PAGE_BYTES, ELEMENTS, SVG_NODES = 60_000, 400, 1000
ANNEX_BYTES, ANNEX_ELEMENTS = 150_000, 800


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def modules(file):
    """The node_modules that have this file; or None."""
    places = (pathlib.Path(place) / "node_modules" for place in WHERE)
    return next((p for p in places if (p / file).is_file()), None)


def write(sample, lang, folder):
    """A sample's report, in `folder`; returns where its files are."""
    done = subprocess.run([os.environ["REPORT_SAMPLE"], sample, lang, folder])
    if done.returncode == SKIPPED:
        skip("no French catalog: msgfmt was missing when it was built")
    if done.returncode:
        sys.exit(f"{sample} {lang}: exit status {done.returncode}")
    return pathlib.Path(folder) / MONTH


def charter(folder):
    """The folder of the sample's charter, given its report's."""
    return pathlib.Path(folder).parent / "charter"


def budget(name):
    annex = name == "departments.html" or name.endswith("-annex.html")
    return (ANNEX_BYTES, ANNEX_ELEMENTS) if annex else (PAGE_BYTES, ELEMENTS)
