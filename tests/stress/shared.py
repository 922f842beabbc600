# SPDX-License-Identifier: EUPL-1.2
"""Files that all processes of the stress write: a log that each appends to,
and books that are read and written under a lock, content by generation."""
import fcntl
import mmap
import os
import random
import struct

import model
from model import Wrong

RECORD = 64
BOOKS = 3
HEAD = struct.Struct("<QQ")  # generation, bytes


def content(book, generation):
    rnd = random.Random("%d/%d" % (book, generation))
    size = rnd.choice((HEAD.size, 5000, 60_000, 300_000))
    size = rnd.randrange(HEAD.size, size + 1)
    body = rnd.randbytes(min(size, 9000)) * (size // 9000 + 1)
    return HEAD.pack(generation, size) + body[:size - HEAD.size]


def prepare(top):
    os.mkdir(os.path.join(top, "shared"))
    open(os.path.join(top, "shared/log"), "wb").close()
    for book in range(BOOKS):
        with open(os.path.join(top, "shared/book%d" % book), "wb") as f:
            f.write(content(book, 0))


class Shared:
    def __init__(self, top, number, rnd):
        self.top = os.path.join(top, "shared")
        self.number = number
        self.rnd = rnd
        self.appended = 0
        self.fd = None  # of the log, kept now and then
        self.lock = os.open(os.path.join(self.top, "lock"),
                            os.O_RDWR | os.O_CREAT, 0o644)

    def step(self):
        if self.rnd.random() < 0.5:
            self.append()
        else:
            self.book()

    def append(self):
        if self.fd is None:
            self.fd = os.open(os.path.join(self.top, "log"),
                              os.O_WRONLY | os.O_APPEND)
        record = b"%d %d" % (self.number, self.appended)
        if os.write(self.fd, record.ljust(RECORD - 1) + b"\n") != RECORD:
            raise Wrong("a short append")
        self.appended += 1
        if self.rnd.random() < 0.3:
            self.close()

    def close(self):
        if self.fd is not None:
            os.close(self.fd)
        self.fd = None

    def book(self):
        """One at a time, by a lock in a file of its own: the book may be
        closed, and packed, between any two."""
        book = self.rnd.randrange(BOOKS)
        path = os.path.join(self.top, "book%d" % book)
        fcntl.lockf(self.lock, fcntl.LOCK_EX, 1, book)
        try:
            old = self.checked(book, path)
            if self.rnd.random() < 0.6:
                self.turn_page(book, path, old)
        finally:
            fcntl.lockf(self.lock, fcntl.LOCK_UN, 1, book)

    def checked(self, book, path):
        got = model.read_whole(path)
        if len(got) < HEAD.size:
            raise Wrong("book %d: %d bytes" % (book, len(got)))
        generation, _ = HEAD.unpack_from(got)
        want = content(book, generation)
        if got != want:
            raise Wrong("book %d, generation %d: %s" % (
                book, generation, model.first_difference(got, want)))
        return generation, len(got)

    def turn_page(self, book, path, old):
        new = content(book, old[0] + 1)
        how = self.rnd.randrange(4)
        if how == 0:
            fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
            os.write(fd, new)
        elif how == 1:  # the save of an office program
            fd = os.open(path + ".new", os.O_WRONLY | os.O_CREAT, 0o644)
            os.write(fd, new)
            os.rename(path + ".new", path)
        else:
            fd = os.open(path, os.O_RDWR)
            os.ftruncate(fd, len(new))
            if how == 2:
                with mmap.mmap(fd, len(new)) as m:
                    m[:] = new
            else:
                os.pwrite(fd, new, 0)
        os.close(fd)


def check(top, appended):
    """Problems of the log, by how many records each process wrote."""
    log = model.read_whole(os.path.join(top, "shared/log"))
    problems, seen = [], {}
    for at in range(0, len(log), RECORD):
        try:
            number, n = map(int, log[at:at + RECORD].split())
        except ValueError:
            problems.append("log: byte %d: %r" % (at, log[at:at + RECORD]))
            continue
        if seen.get(number, -1) != n - 1:
            problems.append("log: byte %d: record %d of %d after %d" % (
                at, n, number, seen.get(number, -1)))
        seen[number] = n
    for number, count in appended.items():
        if seen.get(number, -1) != count - 1:
            problems.append("log: %d has %d records, not %d" % (
                number, seen.get(number, -1) + 1, count))
    return problems
