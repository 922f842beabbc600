# SPDX-License-Identifier: EUPL-1.2
"""Fails each durable write once, with EIO or ENOSPC: the error reaches the
caller, every file is wholly old or wholly new, the daemon lives, doing it
again works, fsck is clean.

	fail_once.py [--every K] [--only N] [--seed S]
"""
import errno
import os
import sys

import drive
import env
import scenario
import verify

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "crash"))
import kill9  # noqa: E402: the same life of a drive


def life(lower, n, error):
    """Returns (drive still mounted, or None; expected; failed steps)."""
    expected = scenario.Expected()
    d = drive.Drive(lower, sobre=env.SOBRE_FAULT, environ={
        "SOBRE_FAIL_AT": str(n), "SOBRE_FAIL_ERRNO": str(error)})
    failed = []
    try:
        d.start()
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


def check(lower, n, error):
    """Returns the steps that were told of the fault."""
    try:
        return lived(lower, *life(lower, n, error))
    finally:
        drive.clean_all()


def lived(lower, d, expected, failed):
    found = verify.states(d, expected)
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


def main():
    args = kill9.parse()
    env.start()
    image = env.Image("ext4", 256, options="nobarrier")
    crash = kill9.Crash(image)
    calls = crash.count()
    todo = kill9.numbers(args, len(calls))
    bad, silent = 0, []
    print("%d durable writes, %d faults, seed %d" % (
        len(calls), len(todo), args.seed), flush=True)
    for i, n in enumerate(todo):
        error = (errno.EIO, errno.ENOSPC)[i % 2]
        what = calls[n - 1] if n <= len(calls) else "past the end"
        label = "%d %s %s" % (n, errno.errorcode[error], what)
        crash.fresh()
        try:
            failed = check(crash.lower, n, error)
            print("ok  ", label, failed or "nobody was told", flush=True)
            if not failed and n <= len(calls):
                silent.append(label)
        except (AssertionError, OSError, drive.MountFailed) as e:
            bad += 1
            print("FAIL %s: %s" % (label, e), flush=True)
    if silent:
        print("failed and nobody was told (best effort, or a bug?):",
              "; ".join(silent))
    print("%d faults, %d failed" % (len(todo), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
