#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Packing a share, beside other deduplicating programs.

	PYTHONPATH=tests/support SOBRE=build/release/bin/sobre \\
		tests/bench/peers.py [-n ROUNDS] [-d WORKDIR] [--only NAME,...] SHARE

A copy of SHARE on a journaled ext4 image is packed by each program in turn and
given back, both with nothing in the page cache: the others restore it, sobre is
read through the mount, and then copied out of it, too. What comes back must be
equal. sobre has an image of its own in each round; its CPU time is the daemon's
and the command's. Printed are medians of the rounds, and how fast a drive packs
a second copy of the share. Root. Programs that aren't installed are left out."""
import argparse
import hashlib
import os
import shutil
import statistics
import sys

import drive
import env
import measure
import peer_programs
from peer_programs import MIB, PEERS, Result

GB = 1e9
NAMES = ("sobre", *PEERS)
HEAD = ("stored MiB", "saved %", "on disk MiB", "pack: user + system s",
        "s/GB", "wall s", "peak MiB", "read back: user + system s", "s/GB",
        "wall s")


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def contents(top):
    """name: what it holds, or where it leads"""
    found = {}
    for where, dirs, files in os.walk(top):
        for name in dirs + files:
            path = os.path.join(where, name)
            what = "folder"
            if os.path.islink(path):
                what = os.readlink(path)
            elif name in files:
                with open(path, "rb") as f:
                    what = hashlib.file_digest(f, "sha256").digest()
            found[os.path.relpath(path, top)] = what
    return found


class Bench:
    def __init__(self, options):
        self.options = options
        self.logical = peer_programs.sizes(options.share)[0]
        self.image = env.Image(size_mib=4 * self.logical // MIB + 2048)
        self.tree = self.image.path("tree")
        say("copying %s, %d MB" % (options.share, self.logical // 10 ** 6))
        env.run("cp", "-a", options.share, self.tree, timeout=3600)
        self.expected = contents(self.tree)
        self.results = {}
        self.second = []

    def same(self, name, top):
        found = contents(top)
        if found == self.expected:
            return
        names = {k for k in found.keys() | self.expected.keys()
                 if found.get(k) != self.expected.get(k)}
        sys.exit("peers.py: %s gives back something else: %d names, as %r" % (
            name, len(names), min(names)))

    def one(self, name):
        def same(top):
            self.same(name, top)
        if name != "sobre":
            return peer_programs.Packer(PEERS[name], self.image,
                                        self.tree).round(same)
        sobre = peer_programs.Sobre(self.tree, self.logical)
        result = sobre.round(same)
        say("    and a second copy")
        self.second.append(sobre.second_copy())
        sobre.end()
        return result

    def round(self, number):
        for name in self.options.only:
            say("round %d of %d: %s" % (number + 1, self.options.n, name))
            self.results.setdefault(name, []).append(self.one(name))

    def cost(self, cost):
        cpu = cost.user + cost.sys
        return ["%.1f + %.1f" % (cost.user, cost.sys),
                "%.1f" % (cpu / self.logical * GB), "%.1f" % cost.wall]

    def kept(self, result):
        return ["%.1f" % (result.stored / MIB),
                "%.1f" % (100 - 100 * result.stored / self.logical),
                "%.1f" % (result.disk / MIB)]

    def table(self):
        print("%d names, %.1f MiB; rounds: %d\n" % (
            len(self.expected), self.logical / MIB, self.options.n))
        row("", HEAD)
        print("|" + "---|" * (len(HEAD) + 1))
        for name, results in self.results.items():
            result = median(results)
            row(title(name), self.kept(result) + self.cost(result.pack) +
                ["%.0f" % (result.pack.peak / MIB)] + self.cost(result.read))
            if result.copied:
                row("the same, copied out with `cp -a`",
                    [""] * 7 + self.cost(result.copied))
        if self.second:
            print("\nA second copy of all of it, in the same drive: %.1f + "
                  "%.1f CPU seconds of the daemon" % (
                      statistics.median(c.user for c in self.second),
                      statistics.median(c.sys for c in self.second)))


def row(what, cells):
    print("| %s | %s |" % (what, " | ".join(cells)))


def median(results):
    """Of results, each figure by itself."""
    def of(values):
        if values[0] is None:
            return None
        if isinstance(values[0], measure.Cost):
            return measure.Cost(*map(of, zip(*values)))
        return statistics.median(values)
    return Result(*map(of, zip(*results)))


def title(name):
    if name == "sobre":
        return "sobre, read through the mount"
    peer = PEERS[name]
    return peer.title % peer_programs.version(peer.program)


def installed(names):
    kept = []
    for name in names:
        if name in PEERS and not shutil.which(PEERS[name].program):
            say("%s isn't installed, left out" % PEERS[name].program)
        else:
            kept.append(name)
    if not kept:
        sys.exit("peers.py: none of them is installed")
    return kept


def arguments():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("-n", type=int, default=3, metavar="ROUNDS")
    p.add_argument("-d", default="/var/tmp", metavar="WORKDIR")
    p.add_argument("--only", default=",".join(NAMES), metavar="NAME,...",
                   help="of " + ", ".join(NAMES))
    p.add_argument("share")
    options = p.parse_args()
    options.share = os.path.realpath(options.share)
    options.only = options.only.split(",")
    unknown = set(options.only) - set(NAMES)
    if unknown:
        p.error("--only: no %r, but %s" % (min(unknown), ", ".join(NAMES)))
    if options.n < 1:
        p.error("-n: at least one round")
    for path in (options.share, options.d):
        if not os.path.isdir(path):
            p.error("%r is no directory" % path)
    return options


def main():
    options = arguments()
    os.environ["TMPDIR"] = os.path.realpath(options.d)
    env.start()
    options.only = installed(options.only)
    bench = Bench(options)
    for number in range(options.n):
        bench.round(number)
    bench.table()
    bench.image.umount()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except (RuntimeError, drive.MountFailed) as e:
        sys.exit("peers.py: %s" % e)
