# SPDX-License-Identifier: EUPL-1.2
"""Packs, unpacks and collects beside a test, all the time, until told."""
import json
import random
import threading


class Upkeep(threading.Thread):
    def __init__(self, d, seed):
        super().__init__(daemon=True)
        self.d = d
        self.rnd = random.Random(seed)
        self.stopping = threading.Event()
        self.rounds = 0
        self.packed = 0  # files, every time counted
        self.failure = None

    def run(self):
        try:
            while not self.stopping.is_set():
                self._round()
                self.rounds += 1
        except BaseException as e:
            self.failure = e

    def _round(self):
        what = self.rnd.random()
        if what < 0.12:
            done = self.d.run("gc", self.d.dir, "--grace", "0s", check=False)
        elif what < 0.24:
            done = self.d.run("unpack", self.d.dir, check=False)
        else:
            done = self.d.run("pack", "--now", self.d.dir, "--json",
                              check=False)
            if done.returncode in (0, 1) and done.stdout:
                self.packed += json.loads(done.stdout)["packed"]
        # 1: something was left out; anything else is a crash of ours.
        if done.returncode not in (0, 1):
            raise AssertionError("%s\n%s" % (done.args, done.stderr))

    def end(self):
        self.stopping.set()
        self.join(120)
        if self.failure:
            raise self.failure
