# SPDX-License-Identifier: EUPL-1.2
"""What a command costs: of a program with all it starts, or of a daemon while
something else asks it to work."""
import collections
import glob
import os
import signal
import subprocess
import tempfile
import time

import env

POLL_S = 0.02
TICKS = os.sysconf("SC_CLK_TCK")

# CPU seconds in user mode and in the kernel, wall seconds, bytes of memory
Cost = collections.namedtuple("Cost", "user sys wall peak")


def add(one, other):
    """Both at once, as a daemon and its client."""
    return Cost(one.user + other.user, one.sys + other.sys,
                max(one.wall, other.wall), one.peak + other.peak)


def peak_bytes(pid):
    """The most memory it ever had resident; 0 when it has gone."""
    try:
        with open("/proc/%d/status" % pid) as f:
            for line in f:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) << 10
    except OSError:
        pass
    return 0


def children(pid):
    found = []
    for path in glob.glob("/proc/%d/task/*/children" % pid):
        try:
            with open(path) as f:
                found += [int(child) for child in f.read().split()]
        except OSError:
            pass
    return found


def tree_peak_bytes(pid):
    return peak_bytes(pid) + sum(map(tree_peak_bytes, children(pid)))


def _wait(child):
    """(status, what it used, peak memory). Not ru_maxrss: that begins with
    the memory of who forked, which is more than some programs need."""
    peak = 0
    while True:
        peak = max(peak, tree_peak_bytes(child.pid))
        pid, status, used = os.wait4(child.pid, os.WNOHANG)
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return child.returncode, used, peak
        time.sleep(POLL_S)


def run(argv, **more):
    """The cost of a program and of those it waits for; raises when it fails,
    with what it said."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=said,
                                 stderr=said, start_new_session=True,
                                 preexec_fn=env.die_with_parent, **more)
        try:
            status, used, peak = _wait(child)
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise
        wall = time.monotonic() - start
        if status:
            said.seek(0)
            raise RuntimeError("%s: exit %d\n%s" % (
                argv[-1], status, said.read()[-2000:].decode(errors="replace")))
    return Cost(used.ru_utime, used.ru_stime, wall, peak)


def _cpu_s(pid):
    """(user, kernel), of all its threads that are or were"""
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rpartition(")")[2].split()
    return int(fields[11]) / TICKS, int(fields[12]) / TICKS


def daemon(pid, call):
    """The cost of process `pid` while `call` runs; and what that returned."""
    user, kernel = _cpu_s(pid)
    start = time.monotonic()
    done = call()
    wall = time.monotonic() - start
    now = _cpu_s(pid)
    return Cost(now[0] - user, now[1] - kernel, wall, peak_bytes(pid)), done
