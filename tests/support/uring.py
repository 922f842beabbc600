# SPDX-License-Identifier: EUPL-1.2
"""FUSE over io_uring, for tests that run with SOBRE_URING=1 in the environment.

The kernel reads its switch when it mounts. It is the machine's, so one mount
after the other: a lock is held while it is on, and shared by the mounts of other
tests, lest one finds it on and then off."""
import contextlib
import fcntl
import os
import sys

SWITCH = "/sys/module/fuse/parameters/enable_uring"
LOCK = "/run/lock/sobre-test-uring"
WANTED = bool(os.environ.get("SOBRE_URING"))


@contextlib.contextmanager
def switched_on():
    """While a drive is mounted; where it isn't wanted, nobody turns it on."""
    if os.geteuid() != 0 or not os.path.exists(SWITCH):
        yield
        return
    with open(LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if WANTED else fcntl.LOCK_SH)
        if not WANTED:
            yield
            return
        with open(SWITCH, "r+") as switch:
            before = switch.read()
            switch.write("Y")
            switch.flush()
            try:
                yield
            finally:
                switch.seek(0)
                switch.write(before)


def must_be_on(front):
    """`front` of status. Ends the test as skipped where it can't be had."""
    state = front["io_uring"]
    if not WANTED or state["on"]:
        return
    if "libfuse" in state["why"] or "does not offer" in state["why"]:
        print("skipped: io_uring:", state["why"])
        sys.exit(77)
    raise AssertionError("io_uring is off: %s" % state["why"])
