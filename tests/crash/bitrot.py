# SPDX-License-Identifier: EUPL-1.2
"""Bit rot: one bit of a pack, of the catalog or of a stub is another while the
drive is not mounted. Then each file gives its bytes or an error, never others;
or the drive is refused, with the reason. The report names each file that is
hurt: scrub's of a pack, fsck's of a stub. Then what can be repaired is: a pack
by equal new data, packed or as a plain copy; a catalog by fsck --rebuild.

	bitrot.py [--flips N] [--seed S]
"""
import argparse
import json
import os
import random
import sys

import drive
import env
import sample
import tree

STUB = "trusted.sobre.content"
KINDS = ("pack", "catalog", "stub")
IMAGE_MIB = 128


class Rot:
    def __init__(self, seed):
        self.rnd = random.Random(seed)
        self.counts = {}
        self.memory = env.memory(3 * IMAGE_MIB)
        image = env.Image("ext4", IMAGE_MIB, root=self.memory)
        top = image.mkdir("drive")
        self.files = {name: tree.read_all(os.path.join(top, name))
                      for name in sample.files(top)}
        self.extents = {name: tree.extents(os.path.join(top, name))
                        for name in self.files}
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

    def lost(self, d):
        return [name for name in sorted(self.files)
                if not self.read(d.lower, name)]

    def look(self, kind, d):
        lost = self.lost(d)
        self.count("%s: %s" % (kind, "some can't be read" if lost
                               else "all read"))
        getattr(self, "after_" + kind)(d, lost)

    def named(self, d, command, lost):
        """The report's last word names all of them; its exit status."""
        done = d.run(command, d.lower, "--json", check=False)
        told = {p["path"].lstrip("/")
                for p in json.loads(done.stdout).get("problems", [])}
        if not set(lost) <= told:
            raise AssertionError("%s doesn't name %s, but %s" % (
                command, sorted(set(lost) - told), sorted(told)))
        return done.returncode

    def after_pack(self, d, lost):
        status = self.named(d, "scrub", lost)
        if lost and status != 1:
            raise AssertionError("scrub: %d, %s lost" % (status, lost))
        # Each has a copy elsewhere, which now comes here, too.
        for i, name in enumerate(lost):
            copy = os.path.join(d.lower, "copy %d" % i)
            self.lay(copy, name)
            d.pack("copy %d" % i)
        still = self.lost(d)
        if still:
            raise AssertionError("equal data doesn't heal %s" % still)
        if lost:
            self.count("pack: healed by equal data")
        d.run("scrub", d.lower)  # and has nothing more to say
        d.run("fsck", d.lower)

    def lay(self, path, name):
        """The same bytes, with the same holes."""
        data = self.files[name]
        with open(path, "wb") as f:
            for start, end in self.extents[name]:
                f.seek(start)
                f.write(data[start:end])
            f.truncate(len(data))
        os.utime(path, ns=(sample.TIME_NS, sample.TIME_NS))

    def after_stub(self, d, lost):
        status = self.named(d, "fsck", lost)
        if lost and status != 1:
            raise AssertionError("fsck: %d, %s lost" % (status, lost))

    def after_catalog(self, d, lost):
        d.stop()
        self.rebuild(d)

    def rebuild(self, d):
        d.run("fsck", "--rebuild", d.lower)
        with drive.Drive(d.lower) as again:
            lost = self.lost(again)
            if lost:
                raise AssertionError("lost after a rebuild: %s" % lost)
            again.run("fsck", again.lower)
        self.count("catalog: rebuilt")

    def once(self, kind):
        file = os.path.join(self.memory, "rotten.img")
        env.run("cp", "--sparse=always", self.sound, file)
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
            if kind == "catalog":
                self.rebuild(d)
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
