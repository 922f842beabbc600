# SPDX-License-Identifier: EUPL-1.2
"""How a process of the stress writes its files, and copies them."""
import errno
import os

import model
import sys_calls
from model import BLOCK, SIZE_MAX, Wrong


class Writing:
    def overwrite(self):
        found = self.chosen()
        if not found:
            return
        fd = self.open(found[0], self.rnd.choice((os.O_RDWR, os.O_WRONLY)))
        try:
            for _ in range(self.rnd.randrange(1, 3)):
                self.write_fd(fd, found[1], self.m.offset())
        finally:
            os.close(fd)

    def append(self):
        found = self.chosen()
        if not found or len(found[1].data) > SIZE_MAX:
            return
        data = self.m.bytes(50_000)
        self.say("  append", len(data))
        fd = self.open(found[0], os.O_WRONLY | os.O_APPEND)
        try:
            if os.write(fd, data) != len(data):
                raise Wrong("short write")
        finally:
            os.close(fd)
        found[1].written(len(found[1].data), data)

    def truncate(self):
        found = self.chosen()
        if found:
            size = self.m.offset()
            self.say("  to", size)
            os.truncate(self.where(found[0]), size)
            found[1].resized(size)

    def empty(self):
        found = self.chosen()
        if not found:
            return
        fd = self.open(found[0], os.O_WRONLY | os.O_TRUNC)
        try:
            found[1].resized(0)
            if self.rnd.random() < 0.7:
                self.write_fd(fd, found[1], 0)
        finally:
            os.close(fd)

    def write_direct(self):
        found = self.chosen()
        if not found:
            return
        at = self.m.offset() // BLOCK * BLOCK
        data = self.rnd.randbytes(BLOCK * self.rnd.randrange(1, 20))
        self.say("  direct", at, len(data))
        self.aligned[:len(data)] = data
        fd = self.open(found[0], os.O_WRONLY | os.O_DIRECT)
        try:
            part = memoryview(self.aligned)[:len(data)]
            if os.pwritev(fd, [part], at) != len(data):
                raise Wrong("short write")
            part.release()
        finally:
            os.close(fd)
        found[1].written(at, data)

    def allocated(self, mode):
        found = self.chosen()
        if not found:
            return
        at = self.m.offset()
        length = self.rnd.randrange(1, 200_000)
        self.say("  fallocate", mode, at, length)
        fd = self.open(found[0], os.O_RDWR)
        try:
            sys_calls.fallocate(fd, mode, at, length)
        finally:
            os.close(fd)
        if mode & (sys_calls.FALLOC_PUNCH_HOLE | sys_calls.FALLOC_ZERO_RANGE):
            found[1].zeroed(at, length)
        if not mode & sys_calls.FALLOC_KEEP_SIZE:
            found[1].resized(max(len(found[1].data), at + length))
        found[1].mtime_ns = None

    def punch(self):
        self.allocated(sys_calls.FALLOC_PUNCH_HOLE |
                       sys_calls.FALLOC_KEEP_SIZE)

    def zero(self):
        self.allocated(sys_calls.FALLOC_ZERO_RANGE | self.rnd.choice(
            (0, sys_calls.FALLOC_KEEP_SIZE)))

    def allocate(self):
        self.allocated(self.rnd.choice((0, sys_calls.FALLOC_KEEP_SIZE)))

    # --- copies

    def copied(self, pieces):
        """pieces(fd, size) gives (offset, length) to be copied."""
        found, to = self.chosen(), self.m.free_path()
        if not found or not to:
            return
        self.say("  to", to)
        src = self.open(found[0], os.O_RDONLY)
        dst = self.open(to, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        inode = model.Inode()
        self.m.add(to, inode)
        try:
            size = os.fstat(src).st_size
            if size != len(found[1].data):
                raise Wrong("%s: %d bytes" % (found[0], size))
            for at, left in pieces(src, size):
                while left > 0:
                    n = os.copy_file_range(src, dst, left, at, at)
                    if n <= 0:
                        raise Wrong("copy ends at %d of %d" % (at, size))
                    at, left = at + n, left - n
            os.ftruncate(dst, size)
        finally:
            os.close(src)
            os.close(dst)
        inode.data[:] = found[1].data

    def copy(self):
        self.copied(lambda _fd, size: [(0, size)])

    def copy_sparse(self):
        def pieces(fd, size):
            return [(a, b - a) for a, b in self.regions(fd, size)]
        self.copied(pieces)

    def regions(self, fd, size):
        at, found = 0, []
        while at < size:
            try:
                start = os.lseek(fd, at, os.SEEK_DATA)
            except OSError as e:
                if e.errno != errno.ENXIO:
                    raise
                break
            at = os.lseek(fd, start, os.SEEK_HOLE)
            found.append((start, at))
        return found

    def holes(self):
        """What SEEK_DATA leaves out is zeros."""
        found = self.chosen()
        if not found:
            return
        data = found[1].data
        fd = self.open(found[0], os.O_RDONLY)
        try:
            at = 0
            for start, end in self.regions(fd, len(data)) + [
                    (len(data), len(data))]:
                if any(data[at:start]):
                    raise Wrong("%s: a hole in data, %d to %d" % (
                        found[0], at, start))
                at = end
        finally:
            os.close(fd)
