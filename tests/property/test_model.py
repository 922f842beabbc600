# SPDX-License-Identifier: EUPL-1.2
"""Random operations on the mount and, in lockstep, on a plain directory of
ext4: every call gives the same result, and in the end both trees hold the
same bytes and metadata. Beside them the packer runs all the time.

	SOBRE_SEED=N	the same operations again (printed at the start)
	SOBRE_SECONDS=N	how long (60)
"""
import errno
import mmap
import os
import random
import stat
import sys
import time
import unittest

import drive
import env
import sample
import sys_calls
import tree
import upkeep

SEED = int(os.environ.get("SOBRE_SEED") or random.SystemRandom().randrange(1 << 32))
SECONDS = float(os.environ.get("SOBRE_SECONDS") or 60)
PAST = 1_200_000_000  # times set on purpose are before this
NAMES = 14

COMPARED = ("type", "mode", "uid", "gid", "size", "nlink", "link", "xattrs",
            "data", "mtime")


class Pair:
    """One operation on both sides, and the descriptors kept open."""

    def __init__(self, mount, model):
        self.sides = (mount, model)
        self.open = {}  # number: (flags, [fd, fd])
        self.next = 0

    def both(self, call):
        """call(top, side) on each; (result or errno) twice."""
        out = []
        for side, top in enumerate(self.sides):
            try:
                out.append(call(top, side))
            except OSError as e:
                out.append(errno.errorcode.get(e.errno, e.errno))
        return out

    def keep(self, flags, name):
        fds = []

        def opened(top, side):
            fds.append(os.open(os.path.join(top, name), flags))
            return True

        out = self.both(opened)
        if out == [True, True]:
            self.open[self.next] = (flags, fds)
            self.next += 1
        else:
            for fd in fds:
                os.close(fd)
        return out

    def drop(self, number):
        _flags, fds = self.open.pop(number)
        for fd in fds:
            os.close(fd)

    def drop_all(self):
        for number in list(self.open):
            self.drop(number)


class Walk:
    """The random choices; everything comes from the seed."""

    def __init__(self, seed, pair):
        self.rnd = random.Random(seed)
        self.pair = pair
        self.dirs = [""]
        self.log = []
        self.ops = [(getattr(self, n), w) for n, w in (
            ("create", 14), ("write_at", 14), ("append", 6), ("truncate", 8),
            ("mmap_write", 5), ("rename", 8), ("link", 4), ("unlink", 6),
            ("mkdir", 3), ("rmdir", 2), ("symlink", 2), ("chmod", 3),
            ("chown", 2), ("utimens", 5), ("xattr", 4), ("fallocate", 4),
            ("copy", 5), ("read", 14), ("open_one", 5), ("use_open", 12),
            ("close_one", 5), ("otrunc", 3), ("exchange", 2), ("fsync", 3))]

    # --- choosing

    def name(self):
        at = self.rnd.choice(self.dirs)
        return os.path.join(at, "f%02d" % self.rnd.randrange(NAMES))

    def data(self):
        size = self.rnd.choice((1, 100, 4096, 20000, 65536, 200000, 700000))
        size = self.rnd.randrange(1, size + 1)
        kind = self.rnd.randrange(4)
        if kind == 0:
            return sample.noise(self.rnd.random(), size)
        # Few seeds: the same bytes come back under other names.
        return sample.text(self.rnd.randrange(5), size)

    def offset(self):
        return self.rnd.choice((0, 1, 4095, 4096, 50000, 131072, 300000,
                                self.rnd.randrange(1 << 20)))

    def step(self):
        call = self.rnd.choices([o for o, _ in self.ops],
                                [w for _, w in self.ops])[0]
        out = call()
        self.log.append("%s %s" % (call.__name__, self.said))
        return call.__name__, out

    def on(self, name, call, *more):
        self.said = " ".join([name] + [str(m)[:40] for m in more])
        return self.pair.both(
            lambda top, side: call(os.path.join(top, name)))

    # --- operations

    def create(self):
        data, name = self.data(), self.name()
        pieces = self.rnd.random() < 0.3

        def call(path):
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            with os.fdopen(fd, "wb", buffering=0) as f:
                if pieces:
                    f.write(data[:len(data) // 2])
                    f.seek(len(data) + 100000)  # leaves a hole
                f.write(data)
        return self.on(name, call, len(data))

    def write_at(self):
        data, at = self.data()[:100000], self.offset()
        flags = self.rnd.choice((os.O_RDWR, os.O_WRONLY))

        def call(path):
            fd = os.open(path, flags)
            try:
                return os.pwrite(fd, data, at)
            finally:
                os.close(fd)
        return self.on(self.name(), call, at, len(data))

    def append(self):
        data = self.data()[:30000]

        def call(path):
            fd = os.open(path, os.O_WRONLY | os.O_APPEND)
            try:
                return os.write(fd, data)
            finally:
                os.close(fd)
        return self.on(self.name(), call, len(data))

    def truncate(self):
        size = self.rnd.choice((0, 0, 1, 4096, self.offset()))
        return self.on(self.name(), lambda p: os.truncate(p, size), size)

    def otrunc(self):
        data = self.data() if self.rnd.random() < 0.5 else b""

        def call(path):
            fd = os.open(path, os.O_RDWR | os.O_TRUNC)
            try:
                return os.read(fd, 10), os.write(fd, data)
            finally:
                os.close(fd)
        return self.on(self.name(), call, len(data))

    def mmap_write(self):
        at, data = self.offset(), self.data()[:5000]

        def call(path):
            fd = os.open(path, os.O_RDWR)
            try:
                size = os.fstat(fd).st_size
                if size == 0:
                    return 0
                m = mmap.mmap(fd, 0)
            finally:
                os.close(fd)
            start = at % size
            part = data[:size - start]
            was = m[start:start + len(part)]
            m[start:start + len(part)] = part
            m.close()
            return was
        return self.on(self.name(), call, at, len(data))

    def rename(self):
        a, b = self.name(), self.name()
        self.said = a + " " + b
        return self.pair.both(lambda top, _: os.rename(
            os.path.join(top, a), os.path.join(top, b)))

    def exchange(self):
        a, b = self.name(), self.name()
        self.said = a + " " + b
        return self.pair.both(lambda top, _: sys_calls.renameat2(
            os.path.join(top, a), os.path.join(top, b),
            sys_calls.RENAME_EXCHANGE))

    def link(self):
        a, b = self.name(), self.name()
        self.said = a + " " + b
        return self.pair.both(lambda top, _: os.link(
            os.path.join(top, a), os.path.join(top, b),
            follow_symlinks=False))

    def unlink(self):
        return self.on(self.name(), os.unlink)

    def mkdir(self):
        name = os.path.join(self.rnd.choice(self.dirs),
                            "d%d" % self.rnd.randrange(2))
        if name.count("/") > 1:
            self.said = "deep"
            return [None, None]
        out = self.on(name, os.mkdir)
        if out == [None, None]:
            self.dirs.append(name)
        return out

    def rmdir(self):
        name = self.rnd.choice(self.dirs)
        if not name:
            self.said = "root"
            return [None, None]
        out = self.on(name, os.rmdir)
        if out == [None, None]:
            self.dirs.remove(name)
        return out

    def symlink(self):
        # Never out of the tree: the other operations follow these, as root.
        target = self.rnd.choice(("f01", "f02", "absent", "d0/f03"))
        return self.on(self.name(), lambda p: os.symlink(target, p), target)

    def chmod(self):
        mode = self.rnd.choice((0o600, 0o644, 0o664, 0o4755, 0o444))
        return self.on(self.name(), lambda p: os.path.islink(p) or
                       os.chmod(p, mode), oct(mode))

    def chown(self):
        uid = self.rnd.choice((0, 1234, 4321))
        return self.on(self.name(), lambda p: os.lchown(p, uid, uid), uid)

    def utimens(self):
        at = self.rnd.randrange(PAST * 10**9)
        return self.on(self.name(), lambda p: os.utime(
            p, ns=(at, at), follow_symlinks=False), at)

    def xattr(self):
        key, value = "user.k%d" % self.rnd.randrange(3), self.data()[:1000]
        if self.rnd.random() < 0.3:
            return self.on(self.name(), lambda p: os.path.islink(p) or
                           os.removexattr(p, key), "remove")
        return self.on(self.name(), lambda p: os.path.islink(p) or
                       os.setxattr(p, key, value), key)

    def fallocate(self):
        keep = sys_calls.FALLOC_KEEP_SIZE
        mode = self.rnd.choice((0, keep, sys_calls.FALLOC_ZERO_RANGE,
                                keep | sys_calls.FALLOC_PUNCH_HOLE,
                                keep | sys_calls.FALLOC_PUNCH_HOLE))
        at, length = self.offset(), self.rnd.randrange(1, 200000)

        def call(path):
            fd = os.open(path, os.O_RDWR)
            try:
                sys_calls.fallocate(fd, mode, at, length)
            finally:
                os.close(fd)
        return self.on(self.name(), call, mode, at, length)

    def copy(self):
        a, b, at = self.name(), self.name(), self.offset()
        self.said = a + " " + b

        def call(top, _side):
            src = os.open(os.path.join(top, a), os.O_RDONLY)
            try:
                dst = os.open(os.path.join(top, b), os.O_RDWR | os.O_CREAT,
                              0o644)
                try:
                    left, total = 300000, 0
                    while left:
                        n = os.copy_file_range(src, dst, left, total,
                                               at + total)
                        if not n:
                            return total
                        left, total = left - n, total + n
                    return total
                finally:
                    os.close(dst)
            finally:
                os.close(src)
        return self.pair.both(call)

    def read(self):
        at, length = self.offset(), self.rnd.choice((10, 5000, 400000))

        def call(path):
            fd = os.open(path, os.O_RDONLY)
            try:
                return os.fstat(fd).st_size, os.pread(fd, length, at)
            finally:
                os.close(fd)
        return self.on(self.name(), call, at, length)

    def open_one(self):
        if len(self.pair.open) > 12:
            return self.close_one()
        flags = self.rnd.choice((os.O_RDONLY, os.O_RDWR, os.O_WRONLY,
                                 os.O_RDWR | os.O_APPEND))
        name = self.name()
        self.said = "%s %d" % (name, flags)
        return self.pair.keep(flags, name)

    def close_one(self):
        self.said = ""
        if self.pair.open:
            number = self.rnd.choice(sorted(self.pair.open))
            self.said = str(number)
            self.pair.drop(number)
        return [None, None]

    def use_open(self):
        if not self.pair.open:
            return self.open_one()
        number = self.rnd.choice(sorted(self.pair.open))
        fds = self.pair.open[number][1]
        kind = self.rnd.choice(("read", "write", "truncate", "stat"))
        at, data = self.offset(), self.data()[:50000]
        self.said = "%d %s %d %d" % (number, kind, at, len(data))

        def call(_top, side):
            fd = fds[side]
            if kind == "read":
                return os.pread(fd, len(data), at)
            if kind == "write":
                return os.pwrite(fd, data, at)
            if kind == "truncate":
                return os.ftruncate(fd, at)
            st = os.fstat(fd)
            return st.st_size, st.st_nlink, oct(st.st_mode)
        return self.pair.both(call)

    def fsync(self):
        def call(path):
            fd = os.open(path, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        return self.on(self.name(), call)


class Model(unittest.TestCase):
    def setUp(self):
        self.image = env.Image("ext4", 2048)
        self.addCleanup(self.image.umount)
        self.model = self.image.mkdir("model")
        self.drive = drive.Drive(self.image.mkdir("drive")).start()
        self.addCleanup(self.drive.clean)
        self.rounds = self.packed = 0

    def compare(self, when):
        mount = tree.snapshot(self.drive.dir, COMPARED)
        model = tree.snapshot(self.model, COMPARED)
        for path in set(mount) & set(model):
            a, b = mount[path], model[path]
            # A time set is exact; one from a clock can't be the same.
            if (min(a["mtime"], b["mtime"]) > PAST * 10**9 and
                    abs(a["mtime"] - b["mtime"]) < 60 * 10**9):
                a["mtime"] = b["mtime"]
            if stat.S_ISDIR(a["type"]):
                a["size"] = b["size"] = 0
        tree.assert_same(self, mount, model, what=when)
        self.assertEqual(tree.linked(self.drive.dir),
                         tree.linked(self.model), when)

    def a_while(self, walk, seconds):
        beside = upkeep.Upkeep(self.drive, walk.rnd.random())
        beside.start()
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end and not beside.failure:
                name, (a, b) = walk.step()
                if a != b:
                    self.fail("%s differs: mount %.300r, model %.300r\n%s"
                              % (name, a, b, "\n".join(walk.log[-30:])))
        finally:
            beside.end()
        self.rounds += beside.rounds
        self.packed += beside.packed

    def test_mount_is_the_model(self):
        print("seed", SEED, file=sys.stderr, flush=True)
        pair = Pair(self.drive.dir, self.model)
        walk = Walk(SEED, pair)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            self.a_while(walk, min(10, SECONDS / 4))
            self.compare("seed %d, after %d steps" % (SEED, len(walk.log)))
            pair.drop_all()
            self.drive.pack(check=False)
            self.compare("packed, seed %d" % SEED)
            self.drive.restart()
            self.drive.settled()
            self.compare("mounted again, seed %d" % SEED)
            self.drive.run("fsck", self.drive.dir)
        print("%d steps; beside: %d rounds, %d times a file was packed" % (
            len(walk.log), self.rounds, self.packed), file=sys.stderr)
        self.assertGreater(self.packed, 0)
        self.drive.unpack_all()
        self.compare("unpacked, seed %d" % SEED)
        self.drive.stop()
        self.compare("unmounted, seed %d" % SEED)


if __name__ == "__main__":
    env.main()
