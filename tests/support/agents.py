# SPDX-License-Identifier: EUPL-1.2
"""Agents at work under the power cut test, and what a cut may leave of each
of their files."""
import collections
import hashlib
import os
import random
import threading
import time

import sample

BLOCK = 4096
KEPT = 8  # last edits of a file that a failure tells


def digest(data):
    return hashlib.sha256(data).digest()


class Versions:
    """Of one file: every version that was ever begun, in order, and the
    oldest that a cut may leave. Written by the file's one writer; the cutter
    reads."""

    def __init__(self, data):
        self.data = data
        self.digests = [digest(data)]
        self.torn = {}  # by version: what may be there until it is synced
        self.synced = 0
        self.edits = collections.deque(maxlen=KEPT)

    def begin(self, data, edit, torn=None):
        self.data = data
        if torn is not None:
            self.torn[len(self.digests)] = digest(torn)
        self.edits.append("%d %s" % (len(self.digests), edit))
        self.digests.append(digest(data))

    def sync(self):
        self.synced = len(self.digests) - 1

    def since(self, lowest):
        """The digests of what may be there when `lowest` was synced."""
        torn = {d for i, d in dict(self.torn).items() if i > lowest}
        return torn.union(self.digests[lowest:])

    def story(self, lowest):
        return "version %d was synced; edits: %s" % (
            lowest, ", ".join(list(self.edits)))


class Agent(threading.Thread):
    """At work on files of its own."""

    def __init__(self, d, names, seed):
        super().__init__(daemon=True)
        self.d = d
        self.rnd = random.Random(seed)
        self.files = {}
        self.stopping = threading.Event()
        self.failure = None
        self.edits = 0
        for name in names:
            data = self.body()
            sample.put(os.path.join(d.lower, name), data)
            self.files[name] = Versions(data)

    def body(self):
        size = self.rnd.randrange(1, 60) * BLOCK
        # From few seeds, so that contents are shared.
        return sample.text(self.rnd.randrange(6), size)

    def run(self):
        try:
            while not self.stopping.is_set():
                name = self.rnd.choice(sorted(self.files))
                edit = self.rnd.choices(
                    (self.block, self.block_later, self.cut, self.empty,
                     self.save, self.append), (5, 2, 2, 1, 4, 3))[0]
                edit(os.path.join(self.d.dir, name), self.files[name])
                self.edits += 1
                time.sleep(self.rnd.random() * 0.02)
        except BaseException as e:
            self.failure = e

    def begin(self, path, versions, data, edit, torn=None):
        packed = self.d.is_packed(os.path.basename(path))
        versions.begin(data, edit + (" of a stub" if packed else ""), torn)

    def sync(self, fd, versions):
        self.rnd.choice((os.fsync, os.fdatasync))(fd)
        versions.sync()

    def change(self, path, versions, call, synced=True):
        fd = os.open(path, self.rnd.choice((os.O_RDWR, os.O_WRONLY)))
        try:
            call(fd)
            if synced:
                self.sync(fd, versions)
        finally:
            os.close(fd)

    def block(self, path, versions, synced=True):
        was = versions.data
        if not was:
            return self.save(path, versions)
        at = self.rnd.randrange((len(was) + BLOCK - 1) // BLOCK) * BLOCK
        part = sample.text(self.rnd.random(), BLOCK)
        self.begin(path, versions, was[:at] + part + was[at + BLOCK:],
                   "block %d" % (at // BLOCK))
        return self.change(path, versions,
                           lambda fd: os.pwrite(fd, part, at), synced)

    def block_later(self, path, versions):
        """Not synced: any cut may lose it. Then made sure of, since two
        unsynced blocks may come to the disk in any order."""
        self.block(path, versions, synced=False)
        time.sleep(self.rnd.random() * 0.05)
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
            versions.sync()
        finally:
            os.close(fd)

    def append(self, path, versions):
        """Until it is synced, ext4 may show zeros in its place: with
        dioread_nolock, the default, the size is in the journal as soon as the
        block is reserved, and that the block is written one transaction
        later."""
        was = versions.data
        part = sample.text(self.rnd.random(), BLOCK)
        self.begin(path, versions, was + part,
                   "append of block %d" % (len(was) // BLOCK),
                   torn=was + bytes(BLOCK))
        self.change(path, versions,
                    lambda fd: os.pwrite(fd, part, len(was)))

    def cut(self, path, versions):
        size = self.rnd.randrange(len(versions.data) // BLOCK + 1) * BLOCK
        self.begin(path, versions, versions.data[:size],
                   "cut to %d blocks" % (size // BLOCK))
        self.change(path, versions, lambda fd: os.ftruncate(fd, size))

    def empty(self, path, versions):
        self.begin(path, versions, b"", "empty")
        fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
        try:
            self.sync(fd, versions)
        finally:
            os.close(fd)

    def save(self, path, versions):
        data = self.body()
        temp = path + ".tmp"
        sample.put(temp, data)
        fd = os.open(temp, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
        self.begin(path, versions, data,
                   "save of %d blocks" % (len(data) // BLOCK))
        os.rename(temp, path)
        if self.rnd.random() < 0.7:
            fd = os.open(os.path.dirname(path), os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)
        else:
            fd = os.open(path, os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)
        versions.sync()
