#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What accounting costs those who save documents: three drives on one ext4
image in memory, two alike with 40 departments, one whose ledger is told nothing
(tests/support/no_ledger.c), saved to in turn (docs/PERFORMANCE.md). As root.

    SOBRE_FAULT=build/release/bin/sobre-fault PYTHONPATH=tests/support \\
        tests/bench/front.py -n 60

A save as office programs do: a lock file, 200 KiB in another file, renamed over
the document, the lock file removed. Microseconds a save, of the saver and of
the daemon's CPU; the ratio of each round's with, and of the other with, to
without. The second is the noise."""
import argparse
import os
import statistics
import time

import cpu
import drive
import env

SAVES = 200
PIECE = os.urandom(50 << 10)
NAMES = ("with", "again", "without")


def write(path, pieces, data, sync):
    fd = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o644)
    for _ in range(pieces):
        os.write(fd, data)
    if sync:
        os.fsync(fd)
    os.close(fd)


def save(where, n, sync):
    name = "Note %02d.odt" % (n % 50)
    lock = os.path.join(where, ".~lock." + name + "#")
    part = os.path.join(where, "." + name + ".tmp")
    write(lock, 1, b"somebody,here\n", False)
    write(part, 4, PIECE, sync)
    os.rename(part, os.path.join(where, name))
    os.unlink(lock)


def saves(d, sync):
    """Of a save: seconds, and of the daemon's CPU, what it writes behind
    included."""
    where = os.path.join(d.dir, "d07", "Dossier")
    used = cpu.cpu_us([d.process.pid])
    start = time.monotonic()
    for n in range(SAVES):
        save(where, n, sync)
    took = time.monotonic() - start
    time.sleep(1.2)
    return took / SAVES, (cpu.cpu_us([d.process.pid]) - used) / SAVES / 1e6


def config(path):
    with open(path, "w") as f:
        f.write("departments:\n")
        for n in range(40):
            f.write('  - { id: d%02d, name: Direction %d, paths: ["/d%02d"] }\n'
                    % (n, n, n))


def start(image, name, conf):
    lower = image.mkdir(name)
    for n in range(40):
        os.makedirs(os.path.join(lower, "d%02d" % n, "Dossier"))
    environ = {"SOBRE_NO_LEDGER": "1"} if name == "without" else {}
    d = drive.Drive(lower, sobre=env.SOBRE_FAULT, environ=environ,
                    options=("--config", conf)).start()
    d.settled()
    return d


def quartiles(values):
    q = statistics.quantiles(values, n=4)
    return statistics.median(values), q[0], q[2]


def table(took, what, column):
    us = {name: [v[column] * 1e6 for v in took[name]] for name in NAMES}
    print("| %s | %s |" % (what, " | ".join(
        "%.1f (%.1f to %.1f)" % quartiles(us[name]) for name in NAMES)),
        end="")
    for name in NAMES[:2]:
        ratio = [a / b for a, b in zip(us[name], us["without"])]
        print(" %.3f (%.3f to %.3f) |" % quartiles(ratio), end="")
    noise = [a / b for a, b in zip(us["with"], us["again"])]
    print(" %.3f (%.3f to %.3f) |" % quartiles(noise), flush=True)


def rounds(n, drives, sync):
    took = {name: [] for name in NAMES}
    for i in range(n + 1):
        for k in range(len(NAMES)):  # each comes first as often
            name = NAMES[(i + k) % len(NAMES)]
            one = saves(drives[name], sync)
            if i > 0:  # the first makes the files
                took[name].append(one)
    kind = "save and fsync" if sync else "save"
    table(took, kind, 0)
    table(took, kind + ", daemon’s CPU", 1)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("-n", type=int, default=30, metavar="ROUNDS")
    o = p.parse_args()
    env.SOBRE = env.SOBRE or env.SOBRE_FAULT
    env.start()
    image = env.Image(size_mib=2048, root=env.memory(2200))
    conf = os.path.join(env.tmp("conf"), "drive.yaml")
    config(conf)
    drives = {name: start(image, name, conf) for name in NAMES}
    print("| µs, median (quartiles) | with | with, again | without |"
          " with ÷ without | again ÷ without | with ÷ again |\n" +
          "|---" * 7 + "|")
    for sync in (False, True):
        rounds(o.n, drives, sync)
    for name in NAMES:
        drives[name].kill() if name == "without" else drives[name].stop()
    image.umount()


if __name__ == "__main__":
    main()
