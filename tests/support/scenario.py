# SPDX-License-Identifier: EUPL-1.2
"""A short life of a drive, each step of it with the states its files may be
in when the daemon dies, or a write fails, in the middle of the step."""
import os

import sample

GONE = None  # instead of bytes: the file isn't there
OLD_NS = 1_600_000_000_123_456_789
NEW_NS = 1_500_000_000_987_654_321

A = sample.text("a", 300_000)
B = sample.text("b", 90_000)
COMMON = sample.text("common", 400_000)
C1 = COMMON + sample.text("c1", 50_000)
C2 = sample.text("c2", 50_000) + COMMON
NOISE = sample.noise("noise", 150_000)
ODD = sample.text("odd", 77_777)
SPARSE_PARTS = [(0, sample.text("s1", 9000)), (1 << 20, NOISE[:50_000])]


def _sparse():
    data = bytearray(2_000_003)
    for at, part in SPARSE_PARTS:
        data[at:at + len(part)] = part
    return bytes(data)


SPARSE = _sparse()

START = {"a": A, "b": B, "copie de b": B, "c1": C1, "c2": C2,
         "noise": NOISE, "odd": ODD, "sparse": SPARSE, "old": B[:60_000],
         "d/e": ODD[:30_000]}


def lay_out(lower):
    os.mkdir(os.path.join(lower, "d"))
    for name, data in START.items():
        path = os.path.join(lower, name)
        if name == "sparse":
            sample.put_sparse(path, len(data), SPARSE_PARTS)
        else:
            sample.put(path, data)
        os.utime(path, ns=(OLD_NS, OLD_NS))


class Expected:
    """For each file the contents it may have; more than one while a step
    that changes it is under way."""

    def __init__(self):
        self.may = {name: [data] for name, data in START.items()}
        self.times = {name: [OLD_NS] for name in START}

    def begin(self, changes):
        for name, data in changes.items():
            was = self.may.get(name, [GONE])
            self.may[name] = was + [data]
            self.times.pop(name, None)

    def done(self, changes):
        for name, data in changes.items():
            self.may[name] = [data]


def _with(data, at, part):
    return data[:at] + part + data[at + len(part):]


def _pwrite(d, name, at, part, flags=os.O_RDWR):
    fd = os.open(os.path.join(d.dir, name), flags)
    try:
        os.pwrite(fd, part, at)
        os.fsync(fd)
    finally:
        os.close(fd)


def _command(*args):
    """The command's failure is the step's: an OSError, as a call's is."""
    def step(d):
        done = d.run(*[a.replace("@", d.dir) for a in args], check=False)
        if done.returncode:
            raise OSError(0, done.stdout + done.stderr)
    return step


def steps():
    """(name, {file: its bytes after the step}, what to do)."""
    path = lambda d, n: os.path.join(d.dir, n)
    odd = _with(ODD, 5000, b"<copied up>")
    sparse = _with(SPARSE, 1 << 19, b"into a hole")

    def times(d):
        os.utime(path(d, "c2"), ns=(NEW_NS, NEW_NS))

    def replace(d):
        sample.put(path(d, "tmp"), NOISE[:70_000])
        os.rename(path(d, "tmp"), path(d, "old"))

    return (
        ("pack", {}, _command("pack", "--now", "@")),
        ("write", {"odd": odd},
         lambda d: _pwrite(d, "odd", 5000, b"<copied up>")),
        ("write only", {"sparse": sparse},
         lambda d: _pwrite(d, "sparse", 1 << 19, b"into a hole",
                           os.O_WRONLY)),
        ("truncate to 0", {"a": b""},
         lambda d: os.truncate(path(d, "a"), 0)),
        ("truncate by open", {"noise": b""}, lambda d: os.close(
            os.open(path(d, "noise"), os.O_WRONLY | os.O_TRUNC))),
        ("truncate", {"c1": C1[:123_456]},
         lambda d: os.truncate(path(d, "c1"), 123_456)),
        ("unlink", {"b": GONE}, lambda d: os.unlink(path(d, "b"))),
        ("rename over", {"old": NOISE[:70_000], "tmp": GONE}, replace),
        ("set times", {}, times),
        ("pack again", {}, _command("pack", "--now", "@")),
        ("gc", {}, _command("gc", "@", "--grace", "0s")),
        ("gc again", {}, _command("gc", "@", "--grace", "0s")),
        ("unpack one", {}, _command("unpack", "@/d/e")),
        ("unpack all", {}, _command("unpack", "--all", "@")),
    )
