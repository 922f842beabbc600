#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""`sobre du` of a directory of many files beside `du -s` of it, which walks:
nothing in the page cache before each, in turn (docs/PERFORMANCE.md). As root.

    SOBRE=build/release/bin/sobre PYTHONPATH=tests/support tests/bench/du.py

Real files on an ext4 image, a tenth of the folders packed. `du -s` on the lower
itself, without sobre, and on the mount."""
import argparse
import json
import os
import statistics
import subprocess
import time

import drive
import env

FOLDER = 1000  # files
WAYS = ("du -s, lower", "du -s, mount", "sobre du")


def fill(top, files):
    for n in range(files):
        where = os.path.join(top, "Dossier %03d" % (n // FOLDER))
        if n % FOLDER == 0:
            os.makedirs(where)
        with open(os.path.join(where, "Note %06d.txt" % n), "wb") as f:
            f.write(b"%09d " % n * (30 + n % 400))


def cold():
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w") as f:
        f.write("3")


def seconds(argv):
    cold()
    start = time.monotonic()
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL)
    return time.monotonic() - start, done.stdout


def rounds(n, commands):
    took = {way: [] for way in WAYS}
    for _ in range(n):
        for way in WAYS:
            took[way].append(seconds(commands[way])[0])
    print("| | " + " | ".join(WAYS) + " | sobre du ÷ lower | ÷ mount |\n" +
          "|---|" * 1 + "---|" * (len(WAYS) + 2))
    parts = [[mine / other for mine, other in zip(took[WAYS[2]], took[way])]
             for way in WAYS[:2]]
    for name, pick in (("median", statistics.median), ("least", min),
                       ("most", max)):
        print("| %s | %s | 1/%.0f | 1/%.0f |" % (
            name, " | ".join("%.3f s" % pick(took[way]) for way in WAYS),
            *(1 / pick(part) for part in parts)), flush=True)


def same(d, top, lower):
    """Both tell of the same bytes, as far as `du` can."""
    told = json.loads(env.run(d.sobre, "du", "--json", top).stdout)
    told = told["paths"][0]
    walked = int(env.run("du", "-s", "-B1", lower).stdout.split()[0])
    print("sobre du: %d files, %d bytes on the lower; du -s: %d" % (
        told["files"], told["hot_bytes"], walked))
    assert told["hot_bytes"] == walked, told


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("-n", type=int, default=7, metavar="ROUNDS")
    p.add_argument("-f", type=int, default=100000, metavar="FILES")
    p.add_argument("-d", default="/var/tmp", metavar="WORKDIR")
    o = p.parse_args()
    os.environ["TMPDIR"] = os.path.realpath(o.d)
    env.start()
    image = env.Image(size_mib=4096, direct=True)
    d = drive.Drive(image.mkdir("drive"))
    fill(os.path.join(d.lower, "Ville"), o.f)
    d.start()
    d.settled(600)
    for n in range(0, o.f // FOLDER, 10):
        env.run(d.sobre, "pack", "--now",
                os.path.join(d.dir, "Ville", "Dossier %03d" % n))
    top = os.path.join(d.dir, "Ville")
    lower = os.path.join(d.below(), "Ville")
    time.sleep(2)  # events are written
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    same(d, top, lower)
    rounds(o.n, {WAYS[0]: ["du", "-s", lower], WAYS[1]: ["du", "-s", top],
                 WAYS[2]: [d.sobre, "du", top]})
    d.stop()
    image.umount()


if __name__ == "__main__":
    main()
