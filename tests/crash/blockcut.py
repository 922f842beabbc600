# SPDX-License-Identifier: EUPL-1.2
"""Cuts the power of a block device hundreds of times: processes are at work on
a drive, and the packer with them, while the image of the lower ext4 is cloned
at random instants. Each clone is mounted, then the drive on it, and compared
with what was written and synced.

	blockcut.py [--cuts N] [--seed S] [--jobs N] [--disk]
		[--keep-failed DIR]

powercut.py says why a clone is what a power cut leaves. Here the loop device
writes by direct I/O: nothing of the image is in a page cache below ext4, and a
write of ext4's is in the clone whole or not at all, since FICLONE waits for
the direct writes that have begun and holds up others.

A life is a drive under load and some cuts. The next goes on from its last one,
as it was: so cuts fall into recovery, too, and one recovery after the other.
cutmodel.py says what may be found. What counts as synced is an fsync that had
returned before the cloning began; processes note that outside the disk.
"""
import argparse
import os
import pickle
import shutil
import signal
import sys
import time

import cutlife
import cutmodel
import drive
import env
import sys_calls
import verify

CUTS = 25  # in a life
LIVES = 4  # of an image
OUTER_MIB = 768  # some 100 are used
THOROUGH = 5  # of so many cuts one has all commands tried on it
FAILURES = (AssertionError, OSError, drive.MountFailed)


def tops(d):
    return [os.path.join(d.dir, "p%d" % n) for n in range(cutlife.PROCESSES)]


def listings(d):
    return [cutmodel.listing(top) for top in tops(d)]


def compare(cut, found):
    for n, story in enumerate(cut.stories):
        problem = story.problem(found[n])
        if problem:
            raise AssertionError("p%d: %s" % (n, problem))


def same(d, found, when):
    now = listings(d)
    for n, (a, b) in enumerate(zip(found, now)):
        for name in set(a) | set(b):
            if a.get(name) != b.get(name):
                raise AssertionError("%s, p%d/%s: %s, was %s" % (
                    when, n, name, b.get(name), a.get(name)))


def recover(d, cut, thorough):
    """(files, how many are packed) of the drive, just mounted."""
    found = listings(d)  # at once, while the scan still runs
    compare(cut, found)
    d.settled()
    names = ["p%d/%s" % (n, name) for n, some in enumerate(found)
             for name in some]
    packed = sum(map(d.is_packed, names))
    same(d, found, "after the scan")
    verify.fsck(d)
    if thorough:
        d.pack()
    d.gc()
    same(d, found, "after gc")
    if thorough:
        use(d, found)
    return len(names), packed


def use(d, found):
    d.run("scrub", d.dir)
    verify.fsck(d)
    d.unpack_all()
    d.stop()
    same(d, found, "in the lower")


class Lane:
    """Lives and checks in turn. Several lanes keep the processors at work."""

    def __init__(self, args, number, cuts):
        self.number = number
        self.seed = "%d/%d" % (args.seed, number)
        self.keep = args.keep_failed
        self.left = cuts
        self.lives = 0
        self.counts = {"cuts": 0, "failed": 0, "files": 0, "packed": 0,
                       "in doubt": 0}
        self.outer = env.Image("xfs", OUTER_MIB, mkfs=("-m", "reflink=1"),
                               root=env.memory(OUTER_MIB) if args.memory else None)

    def run(self):
        before = None
        while self.left > 0:
            try:
                cuts = self.live(before)
            except FAILURES as e:
                print("FAIL in life %d of seed %s: %s" % (
                    self.lives, self.seed, e), flush=True)
                self.counts["failed"] += 1
                break  # what it left mounted is taken down at the end
            failed = self.counts["failed"]
            for cut in cuts:
                self.try_check(cut)
            before = cuts[-1] if cuts else None
            for cut in cuts[:-1]:
                os.unlink(cut.image)
            if self.lives % LIVES == 0 or failed < self.counts["failed"]:
                before = before and os.unlink(before.image)
            say("lane %d, life %d: %d cuts, %d failed" % (
                self.number, self.lives, self.counts["cuts"],
                self.counts["failed"]))
        return self.counts

    def live(self, before):
        count = min(CUTS, self.left)
        self.left -= count
        self.lives += 1
        life = cutlife.Life(self.outer, self.lives,
                            "%s/%d" % (self.seed, self.lives), before)
        return life.run(count)

    def try_check(self, cut):
        image = cut.image + ".check"
        sys_calls.clone(cut.image, image)
        self.counts["cuts"] += 1
        try:
            self.check(cut, image)
        except FAILURES as e:
            self.fail(cut, e)
        os.unlink(image)

    def check(self, cut, file):
        image = env.Image(file=file, root=env.tmp("cut"))
        try:
            with drive.Drive(image.path("drive")) as d:
                files, packed = recover(
                    d, cut, self.counts["cuts"] % THOROUGH == 0)
        finally:
            image.umount()
            shutil.rmtree(image.root)
        self.counts["files"] += files
        self.counts["packed"] += packed
        self.counts["in doubt"] += sum(s.open_questions()
                                       for s in cut.stories)

    def fail(self, cut, why):
        self.counts["failed"] += 1
        name = "seed%s-cut%d" % (self.seed.replace("/", "-lane"),
                                 self.counts["cuts"])
        print("FAIL %s: %s" % (name, why), flush=True)
        if self.keep:
            path = os.path.join(self.keep, name)
            env.run("cp", "--sparse=always", cut.image, path + ".img")
            with open(path + ".txt", "w") as f:
                f.write("%s\n" % why)


def say(text):
    print(text, file=sys.stderr, flush=True)


def start_lane(args, number, cuts):
    """(pid, a pipe that its counts come from)."""
    r, w = os.pipe()
    pid = os.fork()
    if pid:
        os.close(w)
        return pid, r
    os.close(r)
    env.is_child()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # we send SIGTERM then
    counts = Lane(args, number, cuts).run()
    with os.fdopen(w, "wb") as f:
        pickle.dump(counts, f)
    sys.exit(0)


def wait_lanes(lanes):
    """The sums of their counts; None when one didn't come to its end."""
    sums, whole = {}, True
    for pid, r in lanes:
        with os.fdopen(r, "rb") as f:
            told = f.read()
        for key, n in (pickle.loads(told) if told else {}).items():
            sums[key] = sums.get(key, 0) + n
        whole &= bool(told)
    return sums if whole else None


def run_lanes(args):
    shares = [args.cuts // args.jobs + (n < args.cuts % args.jobs)
              for n in range(args.jobs)]
    lanes = [start_lane(args, n, cuts) for n, cuts in enumerate(shares)
             if cuts]
    try:
        sums = wait_lanes(lanes)
    except BaseException:
        for pid, _ in lanes:
            os.kill(pid, signal.SIGTERM)
        raise
    finally:
        for pid, _ in lanes:
            os.waitpid(pid, 0)
    return sums


def positive(text):
    n = int(text)
    if n < 1:
        raise argparse.ArgumentTypeError("'%s' is not at least 1" % text)
    return n


def directory(text):
    if not os.path.isdir(text):
        raise argparse.ArgumentTypeError("'%s' is no directory" % text)
    return os.path.abspath(text)


def parse():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--cuts", type=positive,
                   default=os.environ.get("SOBRE_CUTS") or "50")
    p.add_argument("--jobs", type=positive, default=os.cpu_count(),
                   help="lanes side by side (the number of processors)")
    p.add_argument("--keep-failed", type=directory, metavar="DIR",
                   help="copy the image of each cut that failed to DIR")
    p.add_argument("--disk", dest="memory", action="store_false",
                   help="images on the disk, in TMPDIR, not in memory")
    p.add_argument("--seed", type=int,
                   default=int(os.environ.get("SOBRE_SEED") or
                               time.time_ns() % 100000))
    return p.parse_args()


def main():
    args = parse()
    env.start(("mkfs.xfs", "losetup"))
    print("seed", args.seed, flush=True)
    began = time.monotonic()
    try:
        sums = run_lanes(args)
    except KeyboardInterrupt:
        print("interrupted")
        return 128 + signal.SIGINT
    if sums is None:
        print("not all lanes came to their end")
        return 1
    print("%s; %d s" % (", ".join("%d %s" % (n, key) for key, n in
                                  sums.items()), time.monotonic() - began))
    return 1 if sums["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
