# SPDX-License-Identifier: EUPL-1.2
"""One process of the stress: random operations on files of its own, each
result and all bytes read compared with the model."""
import ctypes
import mmap
import os
import time

import env
import model
import sys_calls
from keeping import Keeping
from model import BLOCK, SIZE_MAX, Wrong
from writing import Writing

YEAR_NS = 365 * 86400 * 10**9
_AT_FDCWD = -100
_FORCE_SYNC = 0x2000

WEIGHTS = (
    ("create", 12), ("overwrite", 12), ("append", 6), ("truncate", 5),
    ("empty", 3), ("rename", 8), ("exchange", 2), ("link", 4), ("unlink", 6),
    ("read", 14), ("read_part", 8), ("read_direct", 4), ("write_direct", 4),
    ("map_write", 6), ("map_private", 3), ("map_keep", 3), ("map_use", 8),
    ("open_keep", 5), ("use_kept", 16), ("close_kept", 4), ("punch", 5),
    ("zero", 2), ("allocate", 2), ("copy", 4), ("copy_sparse", 3),
    ("holes", 4), ("set_time", 4), ("look", 10), ("list", 1), ("fsync", 2), ("visit", 12))


class Worker(Writing, Keeping):
    def __init__(self, top, seed, number):
        self.top = top
        self.m = model.Model(seed, number)
        self.rnd = self.m.rnd
        self.said = []
        self.steps = 0
        self.calls = [getattr(self, name) for name, _ in WEIGHTS]
        self.weights = [weight for _, weight in WEIGHTS]
        self.kept = []  # inodes with something in fds or maps
        self.aligned = mmap.mmap(-1, SIZE_MAX + BLOCK)

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.step()
        self.close_all()
        for path in sorted(self.m.at):
            self.compare(path, self.m.at[path])
        return self.m.end_state()

    def step(self):
        if self.rnd.random() < 0.1:  # so that files are left alone, too
            time.sleep(self.rnd.random() * 0.03)
        call = self.rnd.choices(self.calls, self.weights)[0]
        self.say(call.__name__)
        call()
        self.steps += 1

    def say(self, *words):
        self.said.append(" ".join(map(str, words)))
        del self.said[:-60]

    def where(self, path):
        return os.path.join(self.top, path)

    def open(self, path, flags):
        return os.open(self.where(path), flags, 0o644)

    def check(self, path, got, want):
        if got != want:
            raise Wrong("%s: %s" % (
                path, model.first_difference(got, bytes(want))))

    def compare(self, path, inode, flags=os.O_RDONLY):
        self.check(path, model.read_whole(self.where(path), flags),
                   inode.data)

    def chosen(self):
        found = self.m.any()
        if found:
            self.say(" ", *found[:1])
        return found

    # --- what comes and goes

    def create(self):
        path = self.m.free_path()
        if not path:
            return self.unlink()
        self.say(" ", path)
        inode = model.Inode()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        fd = self.open(path, flags)
        try:
            for _ in range(self.rnd.randrange(1, 4)):
                self.write_fd(fd, inode, self.m.offset())
        finally:
            os.close(fd)
        self.m.add(path, inode)

    def write_fd(self, fd, inode, at):
        data = self.m.bytes()[:max(1, SIZE_MAX - at)]
        self.say("  write", at, len(data))
        if os.pwrite(fd, data, at) != len(data):
            raise Wrong("short write")
        inode.written(at, data)

    def unlink(self):
        found = self.chosen()
        if found:
            os.unlink(self.where(found[0]))
            self.gone(self.m.drop(found[0]))

    def gone(self, inode):
        """Without a name it lives on while it is open, and is checked."""
        if inode and not inode.names and self.rnd.random() < 0.5:
            self.close_inode(inode)

    def rename(self):
        found = self.chosen()
        if not found:
            return
        to = self.m.path()
        self.say("  to", to)
        os.rename(self.where(found[0]), self.where(to))
        if to != found[0] and self.m.at.get(to) is not found[1]:
            over = self.m.drop(to)
            self.m.drop(found[0])
            self.m.add(to, found[1])
            self.gone(over)

    def exchange(self):
        a, b = self.chosen(), self.chosen()
        if not a or a[0] == b[0]:
            return
        sys_calls.renameat2(self.where(a[0]), self.where(b[0]),
                            sys_calls.RENAME_EXCHANGE)
        self.m.drop(a[0])
        self.m.drop(b[0])
        self.m.add(a[0], b[1])
        self.m.add(b[0], a[1])

    def link(self):
        found, to = self.chosen(), self.m.free_path()
        if found and to:
            self.say("  to", to)
            os.link(self.where(found[0]), self.where(to))
            self.m.add(to, found[1])

    # --- reading

    def read(self):
        found = self.chosen()
        if found:
            self.compare(*found)

    def read_part(self):
        found = self.chosen()
        if not found:
            return
        at, length = self.m.offset(), self.rnd.choice((10, 5000, 100_000))
        self.say("  read", at, length)
        fd = self.open(found[0], os.O_RDONLY)
        try:
            self.check(found[0], os.pread(fd, length, at),
                       found[1].data[at:at + length])
        finally:
            os.close(fd)

    def read_direct(self):
        found = self.chosen()
        if not found:
            return
        at = self.m.offset() // BLOCK * BLOCK
        length = BLOCK * self.rnd.randrange(1, 40)
        self.say("  direct", at, length)
        fd = self.open(found[0], os.O_RDONLY | os.O_DIRECT)
        try:
            part = memoryview(self.aligned)[:length]
            n = os.preadv(fd, [part], at)
            self.check(found[0], bytes(part[:n]),
                       found[1].data[at:at + length])
            part.release()
        finally:
            os.close(fd)

    def look(self):
        found = self.chosen()
        if not found:
            return
        if self.rnd.random() < 0.5:
            self.ask(self.where(found[0]))
        st = os.stat(self.where(found[0]))
        if st.st_size != len(found[1].data):
            raise Wrong("%s: st_size %d, not %d" % (
                found[0], st.st_size, len(found[1].data)))
        if st.st_nlink != len(found[1].names):
            raise Wrong("%s: st_nlink %d, not %d" % (
                found[0], st.st_nlink, len(found[1].names)))
        if found[1].mtime_ns not in (None, st.st_mtime_ns):
            raise Wrong("%s: st_mtime_ns %d, not %d" % (
                found[0], st.st_mtime_ns, found[1].mtime_ns))

    def ask(self, path):
        """Has the kernel ask the daemon, whatever it remembers."""
        env.check(env.libc().statx(_AT_FDCWD, os.fsencode(path), _FORCE_SYNC,
                                   0x7ff, ctypes.create_string_buffer(256)),
                  path)

    def visit(self):
        """Others' files: what is done to them then is done by two at once."""
        path = self.where("d%d/p%d-f%d" % (
            self.rnd.randrange(self.m.directories),
            self.rnd.randrange(self.m.number + 1),
            self.rnd.randrange(self.m.names)))
        try:
            for _ in range(self.rnd.randrange(1, 6)):
                self.ask(path)
            if self.rnd.random() < 0.2:
                model.read_whole(path)
        except FileNotFoundError:
            pass

    def set_time(self):
        found = self.chosen()
        if not found:
            return
        at = self.rnd.randrange(50 * YEAR_NS)
        os.utime(self.where(found[0]), ns=(at, at))
        # A page still dirty through a mapping may move it later.
        found[1].mtime_ns = None if found[1].maps else at

    def list(self):
        for number in range(self.m.directories):
            top = "d%d" % number
            mine = "p%d-" % self.m.number
            got = {os.path.join(top, n) for n in os.listdir(self.where(top))
                   if n.startswith(mine)}
            want = {p for p in self.m.at if p.startswith(top + "/")}
            if got != want:
                raise Wrong("%s: %s" % (top, sorted(got ^ want)))

    def fsync(self):
        found = self.chosen()
        if found:
            fd = self.open(found[0], os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
