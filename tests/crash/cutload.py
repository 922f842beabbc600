# SPDX-License-Identifier: EUPL-1.2
"""One of the processes at work when the power is cut."""
import os
import random
import signal
import time
import traceback

import cutmodel
import cutnotes
import env
import sample
import sys_calls
from cutmodel import BLOCK, ZERO

NAMES = 12
TEMP = "new"
DOCUMENTS = 10  # contents that all processes share
BLOCKS_MAX = 24

WEIGHTS = (("create", 8), ("save", 8), ("rewrite", 4), ("overwrite", 12),
           ("append", 6), ("cut", 4), ("empty", 2), ("punch", 2), ("link", 4),
           ("unlink", 4), ("rename", 5), ("read", 6), ("sync", 4),
           ("sync_dir", 2))


def document(number):
    """Blocks of a content that others write, too."""
    rnd = random.Random(number)
    return tuple((1 << 52) + number * 256 + i
                 for i in range(rnd.randrange(1, BLOCKS_MAX + 1)))


def laid_out(number):
    """Notes of what a process finds at first."""
    for i in range(NAMES):
        yield "bytes", 0, i, document(number + i), "laid out"
        yield "names", 0, [("%d" % i, i)]
    yield "sync", 0, "dir", None


def lay_out(top, number):
    for i in range(NAMES):
        sample.put(os.path.join(top, "%d" % i), b"".join(
            map(cutmodel.block, document(number + i))))


class Worker(cutnotes.Noting):
    def __init__(self, notes, top, rnd, first_block, tempo):
        super().__init__(notes)
        self.top = top
        self.rnd = rnd
        self.next_block = first_block
        self.tempo = tempo  # of its pauses
        self.calls = [getattr(self, name) for name, _ in WEIGHTS]
        self.weights = [weight for _, weight in WEIGHTS]

    def run(self):
        while True:
            self.rnd.choices(self.calls, self.weights)[0]()
            time.sleep(self.rnd.random() ** 2 * 0.04 * self.tempo)

    # --- choices

    def path(self, name):
        return os.path.join(self.top, name)

    def slot(self):
        """Few names at a time are in use; the others are left to be packed."""
        hot = int(time.monotonic() * 3)
        return "%d" % ((hot + self.rnd.randrange(3)) % NAMES)

    def existing(self):
        """A name and its body; makes the file when there is none."""
        name = self.slot()
        if name not in self.names:
            self.create(name)
        return name, self.names[name]

    def fresh(self, count):
        self.next_block += count
        return tuple(range(self.next_block - count, self.next_block))

    def content(self):
        blocks = document(self.rnd.randrange(DOCUMENTS))
        if self.rnd.random() < 0.3:
            at = self.rnd.randrange(len(blocks))
            blocks = blocks[:at] + self.fresh(1) + blocks[at + 1:]
        return blocks

    # --- calls

    def open(self, name, flags=0):
        return os.open(self.path(name), flags | self.rnd.choice(
            (os.O_RDWR, os.O_WRONLY)), 0o644)

    def write(self, fd, at, blocks):
        data = b"".join(map(cutmodel.block, blocks))
        if os.pwrite(fd, data, at * BLOCK) != len(data):
            raise AssertionError("short write")

    def sync_fd(self, fd, body, chance):
        if self.rnd.random() >= chance:
            return
        what = self.rnd.choice(("fsync", "fdatasync"))
        getattr(os, what)(fd)
        self.note_sync(what, body)

    def sync(self):
        name, body = self.existing()
        fd = os.open(self.path(name), os.O_RDONLY)
        self.sync_fd(fd, body, 1)
        os.close(fd)

    def sync_dir(self, chance=1.0):
        if self.rnd.random() < chance:
            fd = os.open(self.top, os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)
            self.notes.add("sync", "dir", None)

    def make(self, name, chance):
        """A new file; its body."""
        body, blocks = self.fresh(1)[0], self.content()
        self.note_bytes(body, (), "create")
        self.note_names((name, body))
        fd = self.open(name, os.O_CREAT | os.O_EXCL)
        self.note_bytes(body, blocks, "write")
        self.write(fd, 0, blocks)
        self.dirty[body] = set(range(len(blocks)))
        self.sync_fd(fd, body, chance)
        os.close(fd)
        return body

    def create(self, name=None):
        name = name or self.slot()
        if name in self.names:
            self.unlink(name)
        self.make(name, 0.6)

    def save(self):
        self.unlink(TEMP)  # of a save that was cut
        body = self.make(TEMP, 1)
        name = self.slot()
        self.note_names((name, body), (TEMP, None))
        os.rename(self.path(TEMP), self.path(name))
        self.sync_dir(0.5)

    def rewrite(self):
        name, body = self.existing()
        blocks = self.content()
        self.note_bytes(body, (), "truncate")
        fd = self.open(name, os.O_TRUNC)
        self.note_bytes(body, blocks, "rewrite")
        self.write(fd, 0, blocks)
        self.dirty[body] = set(range(len(blocks)))
        self.sync_fd(fd, body, 0.7)
        os.close(fd)

    def change(self, name, body, blocks, edit, call):
        fd = self.open(name)
        self.note_bytes(body, blocks, edit)
        call(fd)
        self.sync_fd(fd, body, 0.7)
        os.close(fd)

    def clean_range(self, body):
        """Blocks that are not dirty: a page on its way to the disk that is
        written once more may arrive torn, on any file system."""
        size, dirty = len(self.blocks[body]), self.dirty.get(body, ())
        count = self.rnd.randrange(1, 4)
        at = self.rnd.randrange(max(1, size - count + 1))
        part = range(at, min(at + count, size))
        return None if dirty and set(part) & dirty else part

    def replace(self, edit, new, call):
        name, body = self.existing()
        part = self.clean_range(body)
        if not part:
            return self.sync()
        was = self.blocks[body]
        with_it = new(len(part))
        self.dirty.setdefault(body, set()).update(part)
        return self.change(
            name, body, was[:part.start] + with_it + was[part.stop:],
            "%s %d+%d" % (edit, part.start, len(part)),
            lambda fd: call(fd, part, with_it))

    def overwrite(self):
        self.replace("overwrite", self.fresh,
                     lambda fd, part, new: self.write(fd, part.start, new))

    def punch(self):
        mode = sys_calls.FALLOC_PUNCH_HOLE | sys_calls.FALLOC_KEEP_SIZE
        self.replace("punch", lambda count: (ZERO,) * count,
                     lambda fd, part, _: sys_calls.fallocate(
                         fd, mode, part.start * BLOCK, len(part) * BLOCK))

    def append(self):
        name, body = self.existing()
        was = self.blocks[body]
        new = self.fresh(self.rnd.randrange(1, 4))
        if len(was) > BLOCKS_MAX:
            return self.cut()
        self.dirty.setdefault(body, set()).update(
            range(len(was), len(was) + len(new)))
        return self.change(name, body, was + new, "append",
                           lambda fd: self.write(fd, len(was), new))

    def cut(self):
        name, body = self.existing()
        size = self.rnd.randrange(len(self.blocks[body]) + 1)
        self.change(name, body, self.blocks[body][:size], "cut",
                    lambda fd: os.ftruncate(fd, size * BLOCK))

    def empty(self):
        name, body = self.existing()
        self.change(name, body, (), "empty", lambda fd: os.ftruncate(fd, 0))

    def link(self):
        name, body = self.existing()
        to = self.slot()
        if to not in self.names:
            self.note_names((to, body))
            os.link(self.path(name), self.path(to))
            self.sync_dir(0.4)

    def unlink(self, name=None):
        name = name or self.slot()
        if name in self.names:
            self.note_names((name, None))
            os.unlink(self.path(name))
            self.sync_dir(0.4)

    def rename(self):
        name, body = self.existing()
        to = self.slot()
        if self.names.get(to) != body:
            self.note_names((to, body), (name, None))
            os.rename(self.path(name), self.path(to))
            self.sync_dir(0.4)

    def read(self):
        name, body = self.existing()
        got = cutmodel.read_blocks(self.path(name))
        if got != self.blocks[body]:
            raise AssertionError("read while at work, '%s': %s, not %s" % (
                name, got, self.blocks[body]))


def spawn(path, gate, *args):
    """A process at work till it is killed, beginning when nobody has the other
    end of the pipe `gate`, with notes at `path`; its pid. The further
    arguments are a worker's."""
    pid = os.fork()
    if pid:
        return pid
    try:
        env.die_with_parent()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.close(gate[1])
        notes = cutnotes.Notes(path)
        os.read(gate[0], 1)
        w = Worker(notes, *args)
        w.begin(cutmodel.listing(w.top))
        w.run()
    except BaseException:
        notes.add("failed", traceback.format_exc())
    finally:
        os._exit(1)
