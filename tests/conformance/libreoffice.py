# SPDX-License-Identifier: EUPL-1.2
"""Opens documents with LibreOffice, changes them, saves them where they are
and opens them again. Run by the system's python3, which has `uno`:
    libreoffice.py PIPE edit|hold|locked FILE...
A line of JSON a document tells what was seen."""
import hashlib
import json
import os
import sys
import time

MARK = "Relu en mairie. "


def connect(pipe):
    import uno
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext(
        "com.sun.star.bridge.UnoUrlResolver", local)
    end = time.monotonic() + 60
    while True:
        try:
            context = resolver.resolve(
                "uno:pipe,name=%s;urp;StarOffice.ComponentContext" % pipe)
            break
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
    return context.ServiceManager.createInstanceWithContext(
        "com.sun.star.frame.Desktop", context)


def load_url(desktop, url):
    from com.sun.star.beans import PropertyValue
    hidden = PropertyValue()
    hidden.Name, hidden.Value = "Hidden", True
    return desktop.loadComponentFromURL(url, "_blank", 0, (hidden,))


def load(desktop, path):
    import uno
    return load_url(desktop, uno.systemPathToFileUrl(path))


def lock_file(path):
    head, name = os.path.split(path)
    return os.path.exists(os.path.join(head, ".~lock.%s#" % name))


def first_sheet(doc):
    return doc.Sheets.getByIndex(0)


def text(doc):
    if hasattr(doc, "Sheets"):
        sheet = first_sheet(doc)
        cursor = sheet.createCursor()
        cursor.gotoEndOfUsedArea(False)
        used = sheet.getCellRangeByPosition(
            0, 0, min(cursor.RangeAddress.EndColumn, 60),
            min(cursor.RangeAddress.EndRow, 2000))
        found = repr(used.getFormulaArray())
    else:
        found = doc.Text.String
    return hashlib.sha256(found.encode()).hexdigest()[:16]


def change(doc):
    if hasattr(doc, "Sheets"):
        first_sheet(doc).getCellByPosition(0, 4000).String = MARK
    else:
        doc.Text.insertString(doc.Text.getStart(), MARK, False)


def edit(desktop, path):
    doc = load(desktop, path)
    seen = {"readonly": doc.isReadonly(), "lock": lock_file(path),
            "before": text(doc)}
    change(doc)
    doc.store()
    seen["modified"] = doc.isModified()
    doc.close(True)
    seen["unlocked"] = not lock_file(path)
    doc = load(desktop, path)
    seen["after"] = text(doc)
    doc.close(True)
    return seen


def hold(desktop, path):
    """Open until a line comes in."""
    doc = load(desktop, path)
    print(json.dumps({"lock": lock_file(path)}), flush=True)
    sys.stdin.readline()
    doc.close(True)
    return {"unlocked": not lock_file(path)}


def locked(desktop, path):
    """Opened by somebody else: nobody is there to be asked what to do."""
    try:
        doc = load(desktop, path)
    except Exception as e:
        return {"refused": type(e).__name__}
    if doc is None:
        return {"refused": "no document"}
    seen = {"readonly": doc.isReadonly()}
    doc.close(True)
    return seen


def main():
    pipe, what, *paths = sys.argv[1:]
    desktop = connect(pipe)
    load_url(desktop, "private:factory/swriter")  # or it ends at a close
    for path in paths:
        seen = {"edit": edit, "hold": hold, "locked": locked}[what](
            desktop, path)
        print(json.dumps(seen, sort_keys=True), flush=True)
    if what == "edit":
        try:
            desktop.terminate()
        except Exception:  # the answer is lost when it goes
            pass


if __name__ == "__main__":
    main()
