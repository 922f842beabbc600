#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""CPU time of the daemon that serves a directory, for each operation on it.

	tests/bench/native.sh -u -x NAME=COMMAND tests/bench/cpu.py [-n ROUNDS]

Called by native.sh with NAME=DIR; a daemon is the process that has DIR in its
arguments. Counted are all its threads, until a second after the last operation
(what it writes behind). Microseconds an operation, medians."""
import argparse
import glob
import os
import statistics
import time

COUNT = 5000
DATA = b"x" * 4096


def daemons(directory):
    """pids"""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue
        pid = int(path.split("/")[2])
        if os.fsencode(directory) in words and pid not in (
                os.getpid(), os.getppid()):
            found.append(pid)
    return found


def cpu_us(pids):
    total = 0
    for pid in pids:
        for path in glob.glob("/proc/%d/task/*/schedstat" % pid):
            with open(path) as f:
                total += int(f.read().split()[0]) // 1000
    return total


def names(top):
    return ["%s/f%05d" % (top, i) for i in range(COUNT)]


def create(top):
    for path in names(top):
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        os.write(fd, DATA)
        os.close(fd)


def open_read(top):
    for path in names(top):
        fd = os.open(path, os.O_RDONLY)
        os.read(fd, 4096)
        os.close(fd)


def overwrite(top):
    for path in names(top):
        fd = os.open(path, os.O_WRONLY)
        os.pwrite(fd, DATA, 0)
        os.close(fd)


def rename(top):
    for path in names(top):
        os.rename(path, path + ".r")


def unlink(top):
    for path in names(top):
        os.unlink(path + ".r")


def save(top):
    path = top + "/report"
    for _ in range(COUNT):
        fd = os.open(path + ".tmp", os.O_CREAT | os.O_TRUNC | os.O_WRONLY,
                     0o644)
        for _ in range(4):
            os.write(fd, DATA * 12)
        os.close(fd)
        os.rename(path + ".tmp", path)


def measure(step, top, pids):
    before = cpu_us(pids)
    step(top)
    time.sleep(1.5)
    return (cpu_us(pids) - before) / COUNT


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("-n", type=int, default=3, metavar="ROUNDS")
    p.add_argument("targets", nargs="+", metavar="NAME=DIR")
    args = p.parse_args()
    found = {}
    for target in args.targets:
        name, _, directory = target.partition("=")
        pids = daemons(directory)
        if pids:
            found[name] = (directory, pids)
    rows = {}
    for round_ in range(args.n):
        for name, (directory, pids) in found.items():
            top = "%s/cpu%d" % (directory, round_)
            os.mkdir(top)
            for step in (create, open_read, overwrite, rename, unlink, save):
                rows.setdefault(step.__name__, {}).setdefault(
                    name, []).append(measure(step, top, pids))
    print("| µs | " + " | ".join(found) + " |\n|---|" + "---|" * len(found))
    for step, values in rows.items():
        print("| %s | %s |" % (step, " | ".join(
            "%.1f" % statistics.median(values[name]) for name in found)))


if __name__ == "__main__":
    main()
