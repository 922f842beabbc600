# SPDX-License-Identifier: EUPL-1.2
"""Bit rot: one bit of a pack, of the catalog or of a stub is another while the
drive is not mounted. Then each file gives its bytes or an error, never others;
or the drive is refused, with the reason; and scrub tells of a rotten pack.

	bitrot.py [--flips N] [--seed S]
"""
import argparse
import os
import random
import shutil
import sys

import drive
import env
import sample
import tree

STUB = "trusted.sobre.content"
KINDS = ("pack", "catalog", "stub")


class Rot:
    def __init__(self, seed):
        self.rnd = random.Random(seed)
        self.counts = {}
        image = env.Image("ext4", 128)
        top = image.mkdir("drive")
        self.files = {name: tree.read_all(os.path.join(top, name))
                      for name in sample.files(top)}
        with drive.Drive(image.path("drive")) as d:
            d.pack()
            self.stubs = [name for name in self.files if d.is_packed(name)]
        image.umount()
        self.sound = image.file

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    # --- what rots

    def flip_in(self, path):
        at = self.rnd.randrange(os.path.getsize(path))
        with open(path, "r+b") as f:
            f.seek(at)
            byte = f.read(1)[0] ^ 1 << self.rnd.randrange(8)
            f.seek(at)
            f.write(bytes([byte]))
        return "%s at %d" % (os.path.basename(path), at)

    def pack(self, lower):
        found = [os.path.join(top, name)
                 for top, _, names in os.walk(os.path.join(
                     lower, ".sobre", "packs")) for name in names]
        return self.flip_in(self.rnd.choice(sorted(found)))

    def catalog(self, lower):
        return self.flip_in(os.path.join(lower, ".sobre", "catalog.db"))

    def stub(self, lower):
        name = self.rnd.choice(self.stubs)
        path = os.path.join(lower, name)
        value = bytearray(os.getxattr(path, STUB))
        at = self.rnd.randrange(len(value))
        value[at] ^= 1 << self.rnd.randrange(8)
        os.setxattr(path, STUB, bytes(value))
        return "stub of %s at %d" % (name, at)

    # --- what is seen then

    def read(self, lower, name):
        """True: its bytes; False: an error."""
        try:
            with open(os.path.join(lower, name), "rb") as f:
                got = f.read()
        except OSError:
            return False
        if got != self.files[name]:
            raise AssertionError("%s: other bytes" % name)
        return True

    def look(self, kind, d):
        lost = [name for name in sorted(self.files)
                if not self.read(d.lower, name)]
        self.count("%s: %s" % (kind, "some can't be read" if lost
                               else "all read"))
        if kind != "pack":
            return
        d.run("scrub", d.lower, check=False)
        bad = d.status()["store"]["bad_chunks"]
        if any(name in lost for name in self.stubs) and not bad:
            raise AssertionError("scrub finds nothing, %s lost" % lost)

    def once(self, kind):
        file = os.path.join(env.tmp("rot"), "disk.img")
        shutil.copyfile(self.sound, file)
        image = env.Image("ext4", file=file)
        lower = image.path("drive")
        what = getattr(self, kind)(lower)
        try:
            self.try_mount(kind, lower)
        except AssertionError as e:
            raise AssertionError("%s: %s" % (what, e)) from None
        finally:
            image.umount()
            os.unlink(file)

    def try_mount(self, kind, lower):
        d = drive.Drive(lower)
        try:
            d.start()
        except drive.MountFailed as e:
            if "sobre: " not in e.text:
                raise AssertionError("refused without a word") from None
            self.count("%s: refused" % kind)
            return
        try:
            self.look(kind, d)
        finally:
            d.clean()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--flips", type=int, default=45)
    p.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    args = p.parse_args()
    env.start()
    print("seed", args.seed, flush=True)
    rot = Rot(args.seed)
    for i in range(args.flips):
        rot.once(KINDS[i % len(KINDS)])
        if sys.stderr.isatty():
            print("\r%d of %d" % (i + 1, args.flips), end="", file=sys.stderr)
    for what in sorted(rot.counts):
        print("%-30s %d" % (what, rot.counts[what]))


if __name__ == "__main__":
    main()
