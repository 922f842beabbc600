# SPDX-License-Identifier: EUPL-1.2
"""A drive under load on an image, and clones of the image at random instants.
"""
import collections
import os
import random
import signal
import subprocess
import threading
import time

import cutload
import cutmodel
import cutnotes
import drive
import env
import sys_calls
import upkeep

PROCESSES = 4
IMAGE_MIB = 96
PAUSE_S = 0.08  # between cuts, at most
# Of the pauses of all at work. In a crowd each fsync has the journal of all
# committed; what one fsync alone makes sure of shows in quiet lives.
TEMPI = (1, 1, 4, 16)

# The clone, and a story for each process of what may be in it.
Cut = collections.namedtuple("Cut", "image stories")


class Busy(upkeep.Upkeep):
    """Also accepts the way in that is there at first, writes back, scrubs."""

    def __init__(self, d, image, way, seed, tempo):
        super().__init__(d, seed)
        self.tempo = tempo
        self.image = image
        self.way = way

    def _round(self):
        what = self.rnd.random()
        if self.way:
            for way in self.d.status()["ways"]:
                self.d.run("accept", self.d.dir, way["name"])
            self.way.kill()
            self.way = None
        elif what < 0.1:
            self.image.sync()
        elif what < 0.14:
            self.d.run("scrub", self.d.dir)
        else:
            super()._round()
        time.sleep(self.rnd.random() * 0.03 * (self.tempo - 1))


class Cutter(threading.Thread):
    """Beside all else, the mounting included. Half of the cuts come just
    after an fsync."""

    def __init__(self, source, ear, cuts, rnd):
        super().__init__(daemon=True)
        self.source = source
        self.ear = ear
        self.cuts = cuts
        self.rnd = rnd
        self.done = []  # (image, time before, time after)
        self.failure = None

    def run(self):
        try:
            for i in range(self.cuts):
                time.sleep(self.rnd.random() * PAUSE_S)
                if i % 2:
                    self.ear.wait(PAUSE_S)
                image = "%s.%d" % (self.source, i)
                before = time.monotonic_ns()
                sys_calls.clone(self.source, image)
                self.done.append((image, before, time.monotonic_ns()))
        except BaseException as e:
            self.failure = e


class Life:
    """Begins on a new image, or as the power comes back after the cut
    `before`."""

    def __init__(self, outer, number, seed, before=None):
        self.outer = outer
        self.number = number
        self.rnd = random.Random(seed)
        self.before = before or Cut(None, [
            cutmodel.Story(cutload.laid_out(n), 1, 1)
            for n in range(PROCESSES)])
        self.notes = env.tmp("notes")
        self.image = self._image()
        self.drive = drive.Drive(self.image.path("drive"))
        self.tempo = self.rnd.choice(TEMPI)
        self.pids = []

    def _image(self):
        file = self.outer.path("life%d.img" % self.number)
        if self.before.image:
            os.rename(self.before.image, file)
            return self._mount(file)
        with open(file, "xb") as f:
            f.truncate(IMAGE_MIB << 20)
        env.run("mkfs.ext4", "-q", "-b", str(cutmodel.BLOCK), file)
        image = self._mount(file)
        image.mkdir("drive")
        for n in range(PROCESSES):
            cutload.lay_out(image.mkdir("drive/p%d" % n), n)
        image.sync()
        return image

    def _mount(self, file):
        # ext4 commits every second, that cuts fall on either side.
        return env.Image(file=file, root=env.tmp("life"), options="commit=1",
                         direct=True)

    def run(self, count):
        """The cuts."""
        ear = cutnotes.Ear([self._note(n) for n in range(PROCESSES)])
        cutter = Cutter(self.image.file, ear, count,
                        random.Random(self.rnd.random()))
        gate = os.pipe()
        self._spawn(gate)
        way = subprocess.Popen(["sleep", "1000"], cwd=self.drive.lower,
                               preexec_fn=env.die_with_parent)
        busy = Busy(self.drive, self.image, way, self.rnd.random(),
                    self.tempo)
        try:
            cutter.start()
            self.drive.start()
            os.close(gate[1])
            busy.start()
            self._wait(cutter, busy)
        finally:
            self._end(busy, way)
        for thread in (cutter, busy):
            if thread.failure:
                raise thread.failure
        self.drive.stop()
        self.image.umount()
        os.unlink(self.image.file)
        return [self._cut(*one) for one in cutter.done]

    def _note(self, number):
        return os.path.join(self.notes, str(number))

    def _spawn(self, gate):
        for n in range(PROCESSES):
            self.pids.append(cutload.spawn(
                self._note(n), gate, os.path.join(self.drive.dir, "p%d" % n),
                random.Random(self.rnd.random()),
                (self.number * PROCESSES + n + 1) << 24, self.tempo))
        os.close(gate[0])

    def _wait(self, cutter, busy):
        while cutter.is_alive():
            cutter.join(0.2)
            if not self.drive.alive():
                raise AssertionError("the daemon died\n" + self.drive.said())
            for pid in self.pids:
                if os.waitpid(pid, os.WNOHANG)[0]:
                    self.pids.remove(pid)
                    raise AssertionError(self._why_ended())
            if cutter.failure or busy.failure:
                break

    def _why_ended(self):
        for n in range(PROCESSES):
            list(cutnotes.read_notes(self._note(n)))
        return "a process of the load ended"

    def _end(self, busy, way):
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        way.kill()
        way.wait()
        if busy.is_alive():
            busy.stopping.set()
            busy.join(120)

    def _cut(self, image, before, after):
        stories = [cutmodel.Story(cutnotes.read_notes(self._note(n)), before,
                                  after, earlier)
                   for n, earlier in enumerate(self.before.stories)]
        return Cut(image, stories)
