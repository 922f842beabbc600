#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What a month costs on a big drive: closing it, and all pages, of a catalog
that gen_catalog made (docs/PERFORMANCE.md). As root.

    SOBRE=build/release/bin/sobre GEN=build/release/bin/gen_catalog \\
        PYTHONPATH=tests/support tests/bench/month.py -n 3 [DIR]

DIR: where a drive was left by -k; else one is made. Seconds and memory of
each command, and of what it starts; the closing is forgotten before each
round."""
import argparse
import datetime
import glob
import json
import os
import shutil
import subprocess
import sys
import time

import env
import measure

FILES, CHUNKS, DEPARTMENTS, DAYS = 1_000_000, 5_000_000, 40, 70


def config(path, departments):
    """As gen_catalog names them, with an array and its price."""
    names = ["Urbanisme", "Finances", "Ressources humaines", "Culture"]
    ids = ["urb", "fin", "rh", "culture"]
    for n in range(len(ids), departments):
        names.append("Direction %02d" % (n + 1))
        ids.append("d%02d" % (n + 1))
    with open(path, "w") as f:
        f.write("departments:\n")
        for id_, name in zip(ids[:departments], names):
            f.write('  - { id: %s, name: "%s", paths: ["/Ville/%s"] }\n' %
                    (id_, name, name))
        f.write("energy:\n  price: 0.16 EUR/kWh\n  arrays:\n"
                "    - { id: a1, usable: 320 TB, bought: 2023-05,"
                " life: 5 years }\n")


def generate(lower, options):
    os.makedirs(lower)
    start = time.monotonic()
    done = subprocess.run(
        [os.environ["GEN"], "-c", str(options.c), "-d", str(options.d), "-r",
         lower, str(options.f), str(DAYS)],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    print("%d files, %s made in %.0f s" % (
        options.f, done.stderr.decode().strip(), time.monotonic() - start),
        flush=True)


def month():
    """The last that was watched whole."""
    first = datetime.date.today().replace(day=1)
    return (first - datetime.timedelta(days=1)).strftime("%Y-%m")


def forget(lower):
    """The closings."""
    for path in glob.glob(os.path.join(lower, ".sobre", "months", "*.json")):
        os.unlink(path)


def checks(argv):
    """Closes once, and says which checks failed."""
    done = subprocess.run(argv + ["--json"], stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL)
    failed = json.loads(done.stdout)["failed_checks"]
    print("%d checks failed" % len(failed), flush=True)
    for check in failed[:5]:
        print("    %(name)s: %(text)s" % check)


def rounds(n, lower, out, commands):
    for _ in range(n):
        forget(lower)
        shutil.rmtree(out, ignore_errors=True)
        for name, argv in commands:
            cost = measure.run(argv)
            print("%-6s %6.2f s (CPU %.2f + %.2f), peak %.1f MiB" % (
                name, cost.wall, cost.user, cost.sys, cost.peak / 2**20),
                flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=3, help="rounds")
    parser.add_argument("-f", type=int, default=FILES)
    parser.add_argument("-c", type=int, default=CHUNKS)
    parser.add_argument("-d", type=int, default=DEPARTMENTS)
    parser.add_argument("-k", action="store_true", help="keep it")
    parser.add_argument("dir", nargs="?")
    options = parser.parse_args()
    top = options.dir or env.tmp("month")
    lower = os.path.join(top, "drive")
    out = os.path.join(top, "out")
    conf = os.path.join(top, "drive.yaml")
    config(conf, options.d)
    if not os.path.isdir(lower):
        generate(lower, options)
    of = ["--drive", lower, "--config", conf]
    close = [env.SOBRE, "month", "close", month()] + of
    report = [env.SOBRE, "report", "--month", month(), "-o", out] + of
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    forget(lower)
    checks(close)
    rounds(options.n, lower, out, (("close", close), ("pages", report),
                                   ("status", [env.SOBRE, "status", lower])))
    print("%d files written" % len(glob.glob(os.path.join(out, "*", "*"))))
    if options.k:
        print("kept: " + top)
    return 0


if __name__ == "__main__":
    sys.exit(main())
