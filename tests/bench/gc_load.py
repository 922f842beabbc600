# SPDX-License-Identifier: EUPL-1.2
"""What agents and the packer do while gc.py collects: processes that note how
long each step took them."""
import os
import random
import subprocess
import time

import documents
import env

KINDS = ("read", "write", "pack")


def read_whole(path):
    with open(path, "rb", buffering=0) as f:
        while f.read(1 << 17):
            pass


def first_write(path):
    """Opened to write, as an editor saves in place: it comes back first."""
    fd = os.open(path, os.O_RDWR)
    os.pwrite(fd, b"x", 0)
    os.close(fd)


class Load:
    """`reads`: packed files, read again and again; `writes`: packed ones, each
    written to once; new files go to `fresh` and are packed at once."""

    def __init__(self, sobre, reads, writes, fresh, pool):
        self.sobre, self.fresh, self.pool = sobre, fresh, pool
        self.files = {"read": reads, "write": writes}
        self.paused_s = {"read": 0.01, "write": 0.05, "pack": 0.2}
        self.notes = {kind: os.path.join(env.tmp("load"), kind)
                      for kind in KINDS}
        self.pids = []

    def pack(self, path):
        subprocess.run([self.sobre, "pack", "--now", path], check=True,
                       stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def make(self, rng, serial):
        path = os.path.join(self.fresh, "f%d" % serial)
        size = rng.randrange(1 << 14, 1 << 17)
        with open(path, "wb") as f:
            f.write(documents.stamped(self.pool, rng.randrange(1 << 24), size,
                            1 << 40 | serial))
        return path

    def step(self, kind, rng, n):
        """Seconds of one step."""
        if kind == "read":
            path, act = rng.choice(self.files["read"]), read_whole
        elif kind == "write":
            path, act = self.files["write"][n], first_write
        else:
            path, act = self.make(rng, n), self.pack
        start = time.monotonic()
        act(path)
        return time.monotonic() - start

    def run(self, kind):
        rng = random.Random(kind)
        n = 0
        with open(self.notes[kind], "w", buffering=1) as out:
            while kind != "write" or n < len(self.files["write"]):
                took = self.step(kind, rng, n)
                out.write("%.6f %.6f\n" % (time.monotonic(), took))
                time.sleep(self.paused_s[kind])
                n += 1

    def start(self):
        for kind in KINDS:
            pid = os.fork()
            if pid == 0:
                env.die_with_parent()
                try:
                    self.run(kind)
                finally:
                    os._exit(0)
            self.pids.append(pid)

    def stop(self):
        for pid in self.pids:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
        self.pids = []

    def samples(self, kind):
        """(when it ended, seconds it took), in order."""
        with open(self.notes[kind]) as f:
            return [tuple(map(float, line.split())) for line in f
                    if line.endswith("\n")]
