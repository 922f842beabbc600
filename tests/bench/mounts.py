#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Reading packed files against other programs' mounts of the same files.

	PYTHONPATH=tests/support SOBRE=build/release/bin/sobre \\
		tests/bench/mounts.py [-n ROUNDS] [-d WORKDIR] SHARE

SHARE, and one file of 256 MiB made of its documents, lie on one journaled ext4
image: plain, packed on a drive, in a borg repository and in a restic one (zstd,
no encryption where it can be left out), both mounted. A round reads all of each,
cold. Root; borgbackup with python3-pyfuse3, restic."""
import argparse
import os
import statistics
import subprocess
import time

import drive
import env
import packed


class Bench:
    def __init__(self, share):
        self.image = env.Image(size_mib=16384,
                               root=os.path.join(env.tmp("image")))
        self.native = self.image.mkdir("native")
        env.run("cp", "-a", share, os.path.join(self.native, "tree"))
        packed.make_big(share, os.path.join(self.native, "big"), 256 << 20, 1)
        lower = self.image.mkdir("drive")
        env.run("cp", "-a", os.path.join(self.native, "tree"),
                os.path.join(self.native, "big"), lower)
        self.drive = drive.Drive(lower)
        self.children = []
        self.mounts = []

    def start(self):
        self.drive.start()
        self.drive.settled()
        self.drive.pack()
        return {"native": self.native, "sobre, packed": self.drive.dir,
                "borg mount": self.borg(), "restic mount": self.restic()}

    def borg(self):
        repository = os.path.join(self.image.mkdir("borg"), "repository")
        mount = env.tmp("borg")
        env.run("borg", "init", "--encryption", "none", repository)
        env.run("borg", "create", "--compression", "zstd,3",
                repository + "::a", "tree", "big", cwd=self.native,
                timeout=1200)
        env.run("borg", "mount", repository + "::a", mount)
        self.mounts.append(mount)
        return mount

    def restic(self):
        repository = os.path.join(self.image.mkdir("restic"), "repository")
        mount = env.tmp("restic")
        os.environ["RESTIC_PASSWORD"] = "x"
        env.run("restic", "-r", repository, "init")
        env.run("restic", "-r", repository, "backup", self.native,
                timeout=1200)
        self.children.append(subprocess.Popen(
            ["restic", "-r", repository, "mount", mount],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL))  # it unmounts once more at its end
        self.mounts.append(mount)
        top = os.path.join(mount, "snapshots", "latest") + self.native
        for _ in range(300):
            if os.path.isdir(top):
                break
            time.sleep(0.1)
        return top

    def end(self):
        for mount in self.mounts:
            env.run("umount", mount)
        for child in self.children:
            child.wait(60)
        self.drive.stop()
        self.image.umount()


def cold_read(path):
    packed.cold()
    return packed.timed(packed.read_tree if os.path.isdir(path)
                        else packed.read, path)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("-n", type=int, default=3, metavar="ROUNDS")
    p.add_argument("-d", default="/var/tmp", metavar="WORKDIR")
    p.add_argument("share")
    args = p.parse_args()
    os.environ["TMPDIR"] = os.path.realpath(args.d)
    env.start(("borg", "restic"))
    bench = Bench(os.path.realpath(args.share))
    sides = bench.start()
    print("| cold, s | %s |\n|---|%s" % (" | ".join(sides),
                                         "---|" * len(sides)))
    for what in ("tree", "big"):
        times = {side: [] for side in sides}
        for _ in range(args.n):
            for side, top in sides.items():
                times[side].append(cold_read(os.path.join(top, what)))
        print("| %s | %s |" % (what, " | ".join(
            "%.2f" % statistics.median(times[side]) for side in sides)))
    bench.end()


if __name__ == "__main__":
    main()
