# SPDX-License-Identifier: EUPL-1.2
"""What a process at work notes outside the disk: what it is about to do,
before each call, and each fsync, after it."""
import json
import os
import time


class Notes:
    """A line for each note, in the page cache at once: it outlives us."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def add(self, kind, *rest):
        line = json.dumps([kind, time.monotonic_ns(), *rest])
        os.write(self.fd, line.encode() + b"\n")


class Ear:
    """Hears of the next fsync that a process notes."""

    def __init__(self, paths):
        self.paths = paths

    def wait(self, seconds):
        files = [open(p, "rb") for p in self.paths if os.path.exists(p)]
        for f in files:
            f.seek(0, os.SEEK_END)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(b'["sync"' in f.read() for f in files):
                break
            time.sleep(0.0002)
        for f in files:
            f.close()


def read_notes(path):
    with open(path) as f:
        for line in f.read().split("\n")[:-1]:
            note = json.loads(line)
            if note[0] == "failed":
                raise AssertionError(note[2])
            if note[0] == "bytes":
                note[3] = tuple(note[3])
            yield note


class Noting:
    """Keeps what it has noted: the files as they must be now."""

    def __init__(self, notes):
        self.notes = notes
        self.names = {}
        self.blocks = {}  # by body
        self.dirty = {}  # by body: blocks that no fsync made sure of

    def begin(self, found):
        """With the files that are there, which are sure."""
        for name, (inode, blocks) in sorted(found.items()):
            if inode not in self.blocks:
                self.note_bytes(inode, blocks, "found")
            self.note_names((name, inode))
        for body in self.blocks:
            self.note_sync("fsync", body)
        self.notes.add("sync", "dir", None)

    def note_bytes(self, body, blocks, edit):
        self.blocks[body] = tuple(blocks)
        self.notes.add("bytes", body, blocks, edit)

    def note_names(self, *changes):
        self.notes.add("names", changes)
        for name, body in changes:
            self.names.pop(name, None)
            if body is not None:
                self.names[name] = body

    def note_sync(self, what, body):
        self.notes.add("sync", what, body)
        self.dirty.pop(body, None)
