#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The report's pages in a real browser: axe-core finds nothing, nothing else
is loaded, no scrolling sideways at 320 px, spaced text fits, so does text at
200 %, and what is printed is within the sheet. And html-validate finds nothing.
tools/setup --tests installs what this needs; exit status 77
when it isn't there. With a folder as argument, screenshots and PDFs go there.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import browser
import pages

AXE = "axe-core/axe.min.js"
HTML_VALIDATE = "html-validate/bin/html-validate.mjs"

# Of a sample's pages those that differ: the city, a department, the annex.
WANTED = ("index", "urb", "departement-1", "_1", "rh", "departments",
          "index-annex", "urb-annex", "departement-1-annex", "_1-annex",
          "charter-2026")
WIDTHS = (1280, 320)
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
RUN_AXE = f"""axe.run(document, {{runOnly: {json.dumps(TAGS)}}}).then(found =>
    found.violations.map(v => v.id + ": " + v.help + ": " +
        v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(" | ")))"""
MEASURE = """({
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    elements: document.querySelectorAll("*").length
        - document.querySelectorAll("svg *").length,
    svg: document.querySelectorAll("svg *").length,
    active: document.querySelectorAll(
        "script,link,img,iframe,object,embed,form,[onload],[onerror]").length,
})"""
# RGAA 10.12: a reader's own spacing.
SPACING = """document.head.appendChild(Object.assign(
    document.createElement("style"), {textContent:
    "*{line-height:1.5!important;letter-spacing:.12em!important;"
    + "word-spacing:.16em!important}p{margin-bottom:2em!important}"})).id"""


# RGAA 10.4. A browser's zoom is a narrower window; a reader's own letters are
# bigger in the same one.
ZOOMED = 640
BIGGER = "document.documentElement.style.fontSize = '200%'"
# A4 less the margins, and what is there for a screen alone.
SHEET = 690
SEEN_IN_PRINT = """[...document.querySelectorAll(".skip,nav")].filter(
    e => getComputedStyle(e).display != "none").length"""


CANARY = """<!DOCTYPE html><html><head><title></title></head><body>
<nav>menu</nav><p style="color:#ccc;width:2000px">pale and wide<img src="x.png"></p></html>"""


def bigger(page, path):
    bad = []
    page.open(path, ZOOMED)
    if page.run(MEASURE)["overflow"] > 0:
        bad.append("too wide when zoomed to 200 %")
    page.open(path, 1280)
    page.run(BIGGER)
    if page.run(MEASURE)["overflow"] > 0:
        bad.append("too wide with letters of 200 %")
    return bad


def printed(page, path):
    bad = []
    page.call("Emulation.setEmulatedMedia", media="print")
    page.open(path, SHEET)
    over = page.run(MEASURE)["overflow"]
    if over > 0:
        bad.append(f"printed: {over} px beyond the sheet")
    if page.run(SEEN_IN_PRINT):
        bad.append("printed: what is to be clicked is on the sheet")
    page.call("Emulation.setEmulatedMedia", media="")
    sheets = page.sheets()
    if not 1 <= sheets <= 20:
        bad.append(f"printed: {sheets} sheets")
    return bad


def look(page, path, axe):
    """What is wrong with a page, and its measures at the widest."""
    bad, first = [], None
    for width in WIDTHS:
        requests = page.open(path, width)
        seen = page.run(MEASURE)
        first = first or seen
        if len(requests) != 1:
            bad.append(f"{width} px: loads {requests}")
        if seen["overflow"] > 0:
            bad.append(f"{width} px: {seen['overflow']} px too wide")
        if seen["active"]:
            bad.append(f"{seen['active']} elements that load or act")
        page.run(axe)
        bad += [f"{width} px: {v}" for v in page.run(RUN_AXE)]
    page.run(SPACING)
    if page.run(MEASURE)["overflow"] > 0:
        bad.append("too wide at 320 px once its text is spaced")
    bad += bigger(page, path) + printed(page, path)
    size, elements = pages.budget(path.name)
    if first["elements"] > elements:
        bad.append(f"{first['elements']} elements, more than {elements}")
    if first["svg"] > pages.SVG_NODES:
        bad.append(f"{first['svg']} nodes in SVG")
    if path.stat().st_size > size:
        bad.append(f"{path.stat().st_size} bytes, more than {size}")
    return bad, first


def validate(modules, paths):
    node = shutil.which("node")
    if not node or not (modules / HTML_VALIDATE).is_file():
        print("html-validate is not there: the browser alone has judged")
        return []
    done = subprocess.run(
        [node, modules / HTML_VALIDATE, "--config",
         pages.HERE / "htmlvalidate.json", "--formatter", "text", *paths],
        capture_output=True, text=True)
    return [] if done.returncode == 0 else \
        (done.stdout + done.stderr).splitlines()


def check_the_checkers(page, modules, axe, folder):
    """A bad page must be found bad, or nothing else says anything."""
    path = pathlib.Path(folder) / "canary.html"
    path.write_text(CANARY)
    found = "\n".join(look(page, path, axe)[0])
    for word in ("loads", "too wide", "zoomed to 200", "letters of 200",
                 "beyond the sheet", "to be clicked", "color-contrast", "image-alt",
                 "html-has-lang", "document-title"):
        if word not in found:
            sys.exit(f"the bad page passes for {word}:\n{found}")
    if shutil.which("node") and not validate(modules, [path]):
        sys.exit("html-validate lets the bad page pass")


def shoot(page, path, folder, name):
    for width in WIDTHS:
        page.open(path, width)
        page.screenshot(folder / f"{name}-{width}.png")
    page.pdf(folder / f"{name}.pdf")


def main():
    if not browser.program():
        pages.skip("no Chromium: tools/setup --tests installs it")
    modules = pages.modules(AXE)
    if not modules:
        pages.skip("no axe-core: tools/setup --tests installs it")
    axe = (modules / AXE).read_text()
    shots = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
    bad, all_paths = [], []
    with tempfile.TemporaryDirectory() as home, browser.Browser() as page:
        check_the_checkers(page, modules, axe, home)
        for sample in pages.SAMPLES:
            for lang in pages.LANGS:
                folder = pages.write(sample, lang, f"{home}/{sample}-{lang}")
                year = folder.parent / pages.YEAR
                for path in sorted([*folder.glob("*.html"),
                                    *year.glob("*.html"),
                                    *pages.charter(folder).glob(
                                        "charter-*.html")]):
                    if path.stem not in WANTED:
                        continue
                    where = f"{sample} {lang} {path.parent.name} {path.name}"
                    wrong, seen = look(page, path, axe)
                    print(f"{where}: {path.stat().st_size} bytes, "
                          f"{seen['elements']} elements, "
                          f"{seen['svg']} in SVG, {len(wrong)} problems")
                    bad += [f"{where}: {w}" for w in wrong]
                    all_paths.append(path)
                    if shots:
                        shoot(page, path, shots, where.replace(" ", "-"))
        bad += validate(modules, all_paths)
    print(*bad, sep="\n")
    print(f"{len(all_paths)} pages, {len(bad)} problems")
    sys.exit(bool(bad))


main()
