# SPDX-License-Identifier: EUPL-1.2
"""Kills the daemon at its durable writes, one at a time, then mounts again:
every file wholly old or wholly new, fsck clean, and the drive goes on.

	kill9.py [--every K] [--from N] [--only N] [--after | --cut] [--seed S]

Without --every, every write in turn. With --cut the power goes with it, before
a durable write, SQLite's included: what the daemon wrote and didn't sync is
lost, torn or out of order (tests/support/volatile.h). SOBRE is the ordinary
program, SOBRE_FAULT the one with tests/support/io_fault.c.
"""
import argparse
import os
import random
import shutil
import sys
import time

import drive
import env
import scenario
import verify


IMAGE_MIB = 256


class Crash:
    def __init__(self, image):
        self.image = image
        self.lower = image.path("drive")

    def fresh(self):
        if os.path.isdir(self.lower):
            shutil.rmtree(self.lower)
        os.mkdir(self.lower)
        scenario.lay_out(self.lower)

    def life(self, environ):
        """Runs the scenario. (expected, step that was cut; None: none)."""
        expected = scenario.Expected()
        d = drive.Drive(self.lower, sobre=env.SOBRE_FAULT, environ=environ)
        try:
            d.start()
        except drive.MountFailed as e:
            if e.status != -9:
                raise
            return expected, "mount"
        try:
            cut = self._steps(d, expected)
            if cut is None:
                cut = self._end(d)
        finally:
            d.kill()
        return expected, cut

    def _steps(self, d, expected):
        for name, changes, action in scenario.steps():
            expected.begin(changes)
            try:
                action(d)
            except OSError as e:
                if self._dying(d):
                    return name
                raise AssertionError("%s: %s\n%s" % (name, e, d.said()))
            expected.done(changes)
        return None

    @staticmethod
    def _dying(d):
        """A killed daemon may take a moment to be gone."""
        end = time.monotonic() + 5
        while d.alive() and time.monotonic() < end:
            time.sleep(0.01)
        return not d.alive()

    def _end(self, d):
        try:
            d.stop()
            return None
        except AssertionError:
            if not self._dying(d) or (d.process and d.wait() != -9):
                raise
            return "umount"

    def recover(self, expected):
        with drive.Drive(self.lower) as d:
            # At once, while the scan still runs; and after it.
            found = verify.states(d, expected)
            d.settled()
            verify.unchanged(d, found, "after the scan")
            verify.fsck(d)
            verify.goes_on(d, found)

    def trace(self, kind):
        """The calls of that kind in a whole life, (name, site) each."""
        trace = os.path.join(env.tmp("trace"), "calls")
        self.fresh()
        _expected, cut = self.life({"SOBRE_IO_TRACE": trace,
                                    "SOBRE_FAIL": kind})
        assert cut is None, cut
        with open(trace) as f:
            return [tuple(line.split()[1:]) for line in f]

    def count(self, kind="write"):
        """The names of the durable writes of a whole life."""
        return [call[0] for call in self.trace(kind)]


def in_memory():
    return Crash(env.Image("ext4", IMAGE_MIB, options="nobarrier",
                           root=env.memory(IMAGE_MIB)))


def numbers(args, total):
    if args.only:
        return [args.only]
    if args.every <= 1:
        return list(range(args.start, total + 3))
    rnd = random.Random(args.seed)
    first = rnd.randrange(args.every) + args.start
    return list(range(first, total + 3, args.every))


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--every", type=int, default=1)
    p.add_argument("--from", dest="start", type=int, default=1)
    p.add_argument("--only", type=int)
    p.add_argument("--after", action="store_true")
    p.add_argument("--cut", action="store_true")
    p.add_argument("--seed", type=int,
                   default=int(os.environ.get("SOBRE_SEED") or
                               time.time_ns() % 1000))
    return p.parse_args()


def kinds_of(args):
    if args.cut:
        return ["SOBRE_CUT_AT"]
    if args.every > 1:
        return ["SOBRE_CRASH_AT", "SOBRE_CRASH_AFTER"]
    return ["SOBRE_CRASH_AFTER" if args.after else "SOBRE_CRASH_AT"]


def main():
    args = parse()
    env.start()
    crash = in_memory()
    calls = crash.count("step" if args.cut else "write")
    kinds = kinds_of(args)
    todo = numbers(args, len(calls))
    print("%d durable writes, %d crashes, seed %d" % (
        len(calls), len(todo), args.seed), flush=True)
    failed = 0
    for i, n in enumerate(todo):
        kind = kinds[i % len(kinds)]
        what = calls[n - 1] if n <= len(calls) else "past the end"
        crash.fresh()
        cut = "?"
        try:
            expected, cut = crash.life({kind: str(n), "SOBRE_CUT_SEED":
                                        str(args.seed)})
            crash.recover(expected)
            print("ok   %s=%d %s (%s)" % (kind, n, what, cut), flush=True)
        except (AssertionError, OSError, drive.MountFailed) as e:
            failed += 1
            print("FAIL %s=%d %s (%s): %s" % (kind, n, what, cut, e),
                  flush=True)
    print("%d crashes, %d failed" % (len(todo), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
