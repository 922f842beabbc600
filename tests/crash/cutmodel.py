# SPDX-License-Identifier: EUPL-1.2
"""What a cut of the power may leave of one process's files, by what the
process noted before each call and after each fsync.

Names. ext4 journals names in the order of the calls: what a cut leaves is
the directory as it was after one of them, not before the last that an fsync
made sure of.

Bytes. A file is a row of blocks, each of which tells its number and can be
told from all others. ext4 writes blocks that no fsync made sure of in any
order, so each may be that of any version since; where a file grew, also
zeros, and the file may have grown in part. Not across a truncation to 0: it
frees all blocks, and they aren't written anew before it is in the journal.
A file that was synced and not touched since is exactly what it was.
"""
import functools
import os
import random

BLOCK = 4096
ZERO = 0
TORN = -1  # no block that anybody wrote


@functools.lru_cache(4096)
def block(number):
    if number == ZERO:
        return bytes(BLOCK)
    head = b"%015x\n" % number
    return head + random.Random(number).randbytes(1020) * 4


def number_of(data):
    """Which block it is."""
    if data == block(ZERO):
        return ZERO
    try:
        number = int(data[:16], 16)
    except ValueError:
        return TORN
    return number if data == block(number) else TORN


def read_blocks(path):
    """The file's blocks by their numbers, not from the page cache."""
    fd = os.open(path, os.O_RDONLY | os.O_NOATIME)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        size = os.fstat(fd).st_size
        data = os.pread(fd, size + 1, 0)
    finally:
        os.close(fd)
    if len(data) != size:
        raise AssertionError("%s: %d bytes of %d" % (path, len(data), size))
    return tuple(number_of(data[at:at + BLOCK])
                 for at in range(0, size, BLOCK))


def listing(top):
    """{name: (inode, blocks)} of a directory."""
    with os.scandir(top) as entries:
        return {e.name: (e.inode(), read_blocks(e.path)) for e in entries}


def _sizes(epoch):
    sizes = {len(v) for v in epoch}
    for a, b in zip(epoch, epoch[1:]):
        sizes.update(range(len(a), len(b)))
    return sizes


def _blocks_at(epoch, at):
    may = {v[at] for v in epoch if at < len(v)}
    if any(len(a) <= at < len(b) for a, b in zip(epoch, epoch[1:])):
        may.add(ZERO)
    return may


def _matches(epoch, found):
    return len(found) in _sizes(epoch) and all(
        number in _blocks_at(epoch, at) for at, number in enumerate(found))


class Body:
    """An inode: its versions from the last that was made sure of."""

    def __init__(self):
        self.versions = []
        self.edits = []
        self.touched = 0  # the last change of names that was of this one

    def begin(self, blocks, edit):
        self.versions.append(blocks)
        self.edits.append(edit)

    def sync(self):
        del self.versions[:-1], self.edits[:-1]

    def accepts(self, found):
        start = 0
        for i, version in enumerate(self.versions):
            if not version and i > start:
                if _matches(self.versions[start:i], found):
                    return True
                start = i
        return _matches(self.versions[start:], found)

    def misfit(self, found):
        """Why it doesn't accept them, in words."""
        at = next((i for i, number in enumerate(found)
                   if number not in _blocks_at(self.versions, i)), None)
        what = "%d blocks" % len(found)
        if len(found) in _sizes(self.versions) and at is not None:
            what = "block %d is %s, not %s" % (
                at, word(found[at]), " or ".join(
                    map(word, _blocks_at(self.versions, at))))
        return "%s; since the last fsync: %s" % (what, ", ".join(
            "%s (%d blocks)" % (edit, len(version))
            for edit, version in zip(self.edits, self.versions)))


def word(number):
    return "torn" if number == TORN else "%x" % number


class Story:
    """A process's notes, as far as a cut between `before` and `after` saw
    them. Times are of the one monotonic clock. Until it has begun, there is
    what was before: `earlier`."""

    def __init__(self, notes=(), before=0, after=0, earlier=None):
        self.earlier = earlier
        self.bodies = {}
        self.names = [{}]  # after each change that the cut may have left
        self.gone = 0  # changes before those
        for kind, at, *rest in notes:
            if kind == "sync" and at <= before:
                self._sync(*rest)
            elif kind != "sync" and at > after:
                break
            elif kind == "bytes":
                self._bytes(*rest)
            elif kind == "names":
                self._change(rest[0])

    def _bytes(self, body, blocks, edit):
        self.bodies.setdefault(body, Body()).begin(blocks, edit)

    def _change(self, changes):
        names = dict(self.names[-1])
        for name, body in changes:
            for b in {names.get(name), body} - {None}:
                self.bodies[b].touched = self.gone + len(self.names)
            names.pop(name, None)
            if body is not None:
                names[name] = body
        self.names.append(names)

    def _sync(self, what, body):
        """fdatasync makes sure of no name, fsync of those of the inode and
        of what was before."""
        if what == "dir":
            self.earlier = None
            self._sure_of(self.gone + len(self.names) - 1)
            return
        self.bodies[body].sync()
        if what == "fsync":
            self._sure_of(self.bodies[body].touched)

    def _sure_of(self, change):
        if change > self.gone:
            del self.names[:change - self.gone]
            self.gone = change

    def problem(self, found):
        """None, or what is wrong with a directory's listing."""
        if self.earlier:
            problem = self.earlier.problem(found)
            return problem and (self._any_problem(found) and problem)
        return self._any_problem(found)

    def _any_problem(self, found):
        same = [n for n in self.names if set(n) == set(found)]
        if not same:
            return "names %s after no change since the last synced: %s" % (
                sorted(found), " → ".join(str(sorted(n)) for n in self.names))
        problems = [self._problem(names, found) for names in same]
        return None if None in problems else problems[-1]

    def _problem(self, names, found):
        inodes = {}
        for name, body in sorted(names.items()):
            inode, blocks = found[name]
            if inodes.setdefault(body, inode) != inode:
                return "'%s' is linked to none of its names" % name
            if not self.bodies[body].accepts(blocks):
                return "'%s': %s" % (name, self.bodies[body].misfit(blocks))
        if len(set(inodes.values())) < len(inodes):
            return "names of two files are linked: %s" % names
        return None

    def open_questions(self):
        """How many files a cut could leave in more than one state."""
        return sum(len(self.bodies[b].versions) > 1
                   for b in set(self.names[-1].values()))
