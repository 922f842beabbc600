# SPDX-License-Identifier: EUPL-1.2
"""After a crash or a fault: every file wholly old or wholly new, and the
drive as good as any."""
import json
import os
import time

import sample
import scenario
import tree


def brief(data):
    if data is None:
        return "no file"
    if not data.strip(b"\0"):
        return "%d zeros" % len(data)
    return "%d bytes %r…" % (len(data), data[:16])


def states(d, expected):
    """Compares with what is allowed; returns the bytes found."""
    found = {}
    for name, allowed in expected.may.items():
        path = os.path.join(d.dir, name)
        try:
            got = tree.read_all(path)
        except FileNotFoundError:
            got = None
        if got not in allowed and not _half_made(name, got):
            raise AssertionError("'%s' is neither old nor new: %s; may be %s"
                                 % (name, brief(got),
                                    " or ".join(map(brief, allowed))))
        found[name] = got
    for name, times in expected.times.items():
        if found.get(name) is not None and name != "c2":
            got = os.stat(os.path.join(d.dir, name)).st_mtime_ns
            if got not in times:
                raise AssertionError("'%s': mtime %d, not %s" % (
                    name, got, times))
    c2 = os.stat(os.path.join(d.dir, "c2")).st_mtime_ns
    assert c2 in (scenario.OLD_NS, scenario.NEW_NS), c2
    return found


def _half_made(name, got):
    """The temporary file of a save is new: nobody promised it yet."""
    return name == "tmp" and scenario.NOISE.startswith(got or b"")


def unchanged(d, found, when):
    for name, data in found.items():
        path = os.path.join(d.dir, name)
        got = tree.read_all(path) if os.path.exists(path) else None
        if got != data:
            raise AssertionError("%s, '%s': %s, was %s" % (
                when, name, brief(got), brief(data)))


_SETTLED_AT_CLOSE = {"stub_data", "stub_mtime", "stub_size"}


def fsck(d):
    """Clean. What the scan passed over because somebody had it open is put
    right when it is closed, which the kernel tells a little later."""
    for _ in range(20):
        done = d.run("fsck", d.dir, "--json", check=False)
        told = json.loads(done.stdout) if done.stdout else {}
        kinds = {p["kind"] for p in told.get("problems", [])}
        if not kinds or not kinds <= _SETTLED_AT_CLOSE:
            break
        time.sleep(0.1)
    if done.returncode != 0:
        raise AssertionError("fsck: exit %d\n%s%s" % (
            done.returncode, done.stdout, done.stderr))


def goes_on(d, found):
    """Uses the drive as if nothing had been: all must work."""
    found = dict(found)
    d.pack()
    unchanged(d, found, "packed again")
    d.gc()
    unchanged(d, found, "after gc")
    for name, data in found.items():
        if data is not None:
            with open(os.path.join(d.dir, name), "ab") as f:
                f.write(b"more")
            found[name] = data + b"more"
    unchanged(d, found, "written again")
    d.pack()
    sample.put(os.path.join(d.dir, "fresh"), scenario.A)
    found["fresh"] = scenario.A
    d.pack("fresh")
    d.restart()
    unchanged(d, found, "mounted again")
    d.run("scrub", d.dir)
    d.run("fsck", d.dir)
    d.unpack_all()
    unchanged(d, found, "unpacked")
    d.stop()
    unchanged(d, found, "in the lower directory")
