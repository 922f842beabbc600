# SPDX-License-Identifier: EUPL-1.2
"""Fails calls of the daemon, one at a time: durable writes, reads, opens,
allocations, SQLite's files and memory. The error reaches the caller, every file
is wholly old or wholly new, the daemon lives, doing it again works, fsck is
clean.

	fail_once.py [--kind KIND]... [--every K] [--match TEXT] [--seed S]
		[--jobs N]

Durable writes fail one after the other. Of the rest each site of the program
is tried (the call and its three callers): its first call of the life of a
drive, its last and one between. The table at the end is that of docs/faults.md.
"""
import argparse
import collections
import errno
import os
import pickle
import sys
import time

import drive
import env
import scenario
import sites
import verify

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "crash"))
import kill9  # noqa: E402: the same life of a drive

FAILURES = (AssertionError, OSError, drive.MountFailed)


def environment(fault):
    return {"SOBRE_FAIL": fault.kind, "SOBRE_FAIL_SITE": fault.site,
            "SOBRE_FAIL_AT": str(fault.at),
            "SOBRE_FAIL_ERRNO": str(fault.error)}


def must_stay(d):
    """The mount is there a moment before sobre has found that it answers."""
    while d.alive() and d.run("status", d.dir, check=False).returncode:
        time.sleep(0.05)  # it is on its way up, or down
    if not d.alive():
        status, said = d.wait(), d.said()
        d.clean()
        raise drive.MountFailed(status, said)


def life(lower, fault):
    """Returns (drive still mounted, or None; expected; failed steps)."""
    expected = scenario.Expected()
    d = drive.Drive(lower, sobre=env.SOBRE_FAULT, environ=environment(fault))
    failed = []
    try:
        d.start()
        must_stay(d)
    except drive.MountFailed as e:
        if e.status != 1 or not e.text.strip():
            raise
        d = drive.Drive(lower).start()  # once more, without the fault
        failed.append("mount")
    for name, changes, action in scenario.steps():
        again(d, expected, name, changes, action, failed)
    return d, expected, failed


def again(d, expected, name, changes, action, failed):
    """A step that failed is done once more; then it must work."""
    for attempt in range(2):
        expected.begin(changes)
        try:
            action(d)
        except OSError as e:
            assert d.alive(), "%s: the daemon died\n%s" % (name, d.said())
            assert attempt == 0, "%s, again: %s" % (name, e)
            failed.append(name)
            partly(d, expected, changes)
            continue
        expected.done(changes)
        return


def partly(d, expected, changes):
    """After a failed step, what it was to change is old or new; know which,
    so that the step can be done again."""
    found = verify.states(d, expected)
    for name in changes:
        expected.may[name] = [found[name]]
    if "b" in changes and found["b"] is None:
        # Unlinked, and the error came after: put something there again.
        with open(os.path.join(d.dir, "b"), "wb") as f:
            f.write(scenario.B)


def states(d, expected, failed):
    """Reading may fail, too; not twice."""
    try:
        return verify.states(d, expected)
    except OSError:
        assert d.alive(), "read: the daemon died\n%s" % d.said()
        failed.append("read")
        return verify.states(d, expected)


def check(lower, fault):
    """Returns the steps that were told of the fault."""
    try:
        return lived(lower, *life(lower, fault))
    finally:
        drive.clean_all()


def lived(lower, d, expected, failed):
    found = states(d, expected, failed)
    try:
        d.stop()
    except AssertionError:
        # The fault may fall into the unmount itself: it must say so.
        assert d.process is None or not d.mounted(), d.said()
        failed.append("umount")
        d.clean()
    with drive.Drive(lower) as d:
        verify.unchanged(d, found, "mounted again")
        d.settled()
        verify.fsck(d)
        verify.goes_on(d, found)
    return failed


# --- many of them

Outcome = collections.namedtuple("Outcome", "fault told problem")


def label(fault):
    return "%s %s=%d %s %s" % (fault.kind, fault.name, fault.at,
                               errno.errorcode[fault.error], fault.where)


def try_one(crash, fault):
    crash.fresh()
    try:
        told = check(crash.lower, fault)
        print("ok  ", label(fault), told or "nobody was told", flush=True)
        return Outcome(fault, told, None)
    except FAILURES as e:
        print("FAIL %s: %s" % (label(fault), e), flush=True)
        return Outcome(fault, [], str(e))


def lane(todo):
    crash = kill9.in_memory()
    return [try_one(crash, fault) for fault in todo]


def in_child(todo):
    """A pipe that its outcomes come from: mounts of its own, in our
    namespace."""
    r, w = os.pipe()
    if os.fork():
        os.close(w)
        return r
    os.close(r)
    env.is_child()
    done = lane(todo)
    with os.fdopen(w, "wb") as f:
        pickle.dump([(o.fault[:], o.told, o.problem) for o in done], f)
    sys.exit(0)


def run(todo, jobs):
    if jobs == 1:
        return lane(todo)
    done = []
    for r in [in_child(todo[n::jobs]) for n in range(jobs)]:
        with os.fdopen(r, "rb") as f:
            done += [Outcome(sites.Fault(*fault), told, problem)
                     for fault, told, problem in pickle.load(f)]
    return done


def rows(outcomes):
    """(kind, call, error): [sites, faults, told, not told, failed]"""
    table = {}
    for o in outcomes:
        key = (o.fault.kind, o.fault.name, errno.errorcode[o.fault.error])
        row = table.setdefault(key, [set(), 0, 0, 0, 0])
        row[0].add(o.fault.site)
        row[1] += 1
        row[4 if o.problem else 2 if o.told else 3] += 1
    return sorted(table.items())


def print_table(outcomes):
    print("| calls | | error | sites | faults | told | went on | failed |")
    print("|---|---|---|---|---|---|---|---|")
    sums = [0, 0, 0, 0]
    for (kind, name, error), row in rows(outcomes):
        print("| %s | `%s` | %s | %d | %d | %d | %d | %d |" % (
            kind, name, error, len(row[0]), *row[1:]))
        sums = [a + b for a, b in zip(sums, row[1:])]
    print("| all | | | | %d | %d | %d | %d |" % tuple(sums))


def parse():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--kind", action="append", choices=sites.ERRORS)
    p.add_argument("--every", type=int, default=1)
    p.add_argument("--match", default="", metavar="TEXT",
                   help="only those whose line has TEXT in it")
    p.add_argument("--jobs", type=int, default=1)
    p.add_argument("--seed", type=int,
                   default=int(os.environ.get("SOBRE_SEED") or
                               time.time_ns() % 1000))
    return p.parse_args()


def main():
    args = parse()
    env.start(("addr2line",))
    print("seed", args.seed, flush=True)
    crash = kill9.in_memory()
    todo = []
    for kind in args.kind or sites.ERRORS:
        calls = crash.trace(kind)
        some = sites.faults(kind, calls, args.every, args.seed)
        print("%s: %d calls, %d faults" % (kind, len(calls), len(some)),
              flush=True)
        todo += some
    todo = [fault for fault in todo if args.match in label(fault)]
    outcomes = run(todo, args.jobs)
    print_table(outcomes)
    return 1 if any(o.problem for o in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
