# SPDX-License-Identifier: EUPL-1.2
"""What the lints share: the files, the compile database, how to report."""
import json
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77  # ctest's SKIP_RETURN_CODE


def files(tops, *endings):
    found = (p for top in tops for p in (ROOT / top).rglob("*"))
    return sorted(p for p in found if p.suffix in endings and p.is_file())


def name(path):
    return path.relative_to(ROOT).as_posix()


def scripts(shebang):
    """Files without an ending whose first line names such a program."""
    found = []
    for top in ("tools", "tests", ".ci"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.is_file() and path.suffix in ("", ".sh", ".bash"):
                with path.open("rb") as file:
                    first = file.readline(100)
                if first.startswith(b"#!") and shebang in first:
                    found.append(path)
    return found


def compile_flags(build):
    """Source file -> its command, without what names inputs and outputs."""
    flags = {}
    database = pathlib.Path(build) / "compile_commands.json"
    for entry in json.loads(database.read_text()):
        words, kept = iter(shlex.split(entry["command"])), []
        for word in words:
            if word in ("-o", "-MF", "-MT"):
                next(words)
            elif word not in ("-c", "-MD", entry["file"]):
                kept.append(word)
        flags[pathlib.Path(entry["file"])] = kept
    return flags


def run(*command, **more):
    return subprocess.run(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, **more
    )


def needs(program, major):
    """Skip the lint when another version is here: versions differ on details,
    so one decides, Debian 12's."""
    found = re.search(r"version (\d+)", run(program, "--version").stdout)
    if not found or int(found[1]) != major:
        print(f"{program} {major} is needed, not {found and found[1]}")
        sys.exit(SKIPPED)


def finish(bad):
    """Print each thing that is wrong; fail when there is one."""
    print(*bad, sep="\n", end="\n" if bad else "")
    sys.exit(bool(bad))
