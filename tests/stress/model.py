# SPDX-License-Identifier: EUPL-1.2
"""What one process of the stress knows of its files: bytes and names, as they
must be, whatever the packer does meanwhile."""
import os
import random
import stat

SIZE_MAX = 1 << 20
BLOCK = 4096


class Wrong(Exception):
    """The mount is not the model."""


class Inode:
    """A file's bytes, and the descriptors and mappings kept on it."""

    def __init__(self):
        self.data = bytearray()
        self.names = set()
        self.mtime_ns = None  # one that was set, and holds till a change
        self.fds = []  # (fd, flags)
        self.maps = []

    def written(self, at, data):
        end = at + len(data)
        if end > len(self.data):
            self.data.extend(bytes(end - len(self.data)))
        self.data[at:end] = data
        self.mtime_ns = None

    def resized(self, size):
        if size < len(self.data):
            del self.data[size:]
        else:
            self.data.extend(bytes(size - len(self.data)))
        self.mtime_ns = None

    def zeroed(self, at, length):
        end = min(at + length, len(self.data))
        if at < end:
            self.data[at:end] = bytes(end - at)
        self.mtime_ns = None


class Model:
    """Names of one process, in directories that all share."""

    def __init__(self, seed, number, names=32, directories=6):
        self.rnd = random.Random("%d/%d" % (seed, number))
        self.number = number
        self.names = names
        self.directories = directories
        self.at = {}  # path: Inode

    def path(self):
        return "d%d/p%d-f%d" % (self.rnd.randrange(self.directories),
                                self.number, self.rnd.randrange(self.names))

    def free_path(self):
        for _ in range(50):
            path = self.path()
            if path not in self.at:
                return path
        return None

    def any(self):
        """A path and its inode; None when there is no file."""
        if not self.at:
            return None
        path = self.rnd.choice(sorted(self.at))
        return path, self.at[path]

    def add(self, path, inode):
        self.drop(path)
        self.at[path] = inode
        inode.names.add(path)

    def drop(self, path):
        inode = self.at.pop(path, None)
        if inode:
            inode.names.discard(path)
        return inode

    def bytes(self, most=200_000):
        """Half of it comes back under other names: the store shares it."""
        size = self.rnd.choice((1, 100, BLOCK, 20_000, 65_536, most))
        size = self.rnd.randrange(1, size + 1)
        kind = self.rnd.randrange(4)
        if kind == 0:
            return self.rnd.randbytes(size)
        source = random.Random(self.rnd.randrange(6))
        if kind == 1:
            return source.randbytes(size)
        return (source.randbytes(997) * (size // 997 + 1))[:size]

    def offset(self):
        return self.rnd.choice((0, 1, BLOCK - 1, BLOCK, 50_000, 131_072,
                                300_000, self.rnd.randrange(700_000)))

    def end_state(self):
        """{path: (bytes, names of the inode)}, to be compared later."""
        return {path: (bytes(inode.data), sorted(inode.names))
                for path, inode in self.at.items()}


def read_whole(path, flags=os.O_RDONLY):
    fd = os.open(path, flags)
    try:
        parts = []
        while part := os.read(fd, SIZE_MAX):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(fd)


def first_difference(got, want):
    if len(got) != len(want):
        return "%d bytes, not %d" % (len(got), len(want))
    low, high = 0, len(got)
    while high - low > 1:
        middle = (low + high) // 2
        if got[low:middle] != want[low:middle]:
            high = middle
        else:
            low = middle
    return "byte %d (block %d and %d) of %d: %r, not %r" % (
        low, low // BLOCK, low % BLOCK, len(got), bytes(got[low:low + 24]),
        bytes(want[low:low + 24]))


def check_tree(top, states):
    """Problems of what is at `top`, by the end states of all processes."""
    problems, wanted = [], {}
    for state in states:
        wanted.update(state)
    for at, _dirs, files in os.walk(top):
        for name in files:
            path = os.path.relpath(os.path.join(at, name), top)
            if path.startswith("d") and path not in wanted:
                problems.append("%s: not expected" % path)
    for path, (data, names) in sorted(wanted.items()):
        try:
            st = os.lstat(os.path.join(top, path))
            got = read_whole(os.path.join(top, path))
        except OSError as e:
            problems.append("%s: %s" % (path, e))
            continue
        if got != data:
            problems.append("%s: %s" % (path, first_difference(got, data)))
        if st.st_nlink != len(names) or st.st_size != len(data):
            problems.append("%s: %d names, %d bytes" % (
                path, st.st_nlink, st.st_size))
        if not stat.S_ISREG(st.st_mode):
            problems.append("%s: no file" % path)
    return problems
