# SPDX-License-Identifier: EUPL-1.2
"""A drive under test: `sobre mount` over a directory, and its commands."""
import json
import os
import re
import signal
import subprocess
import time

import env
import uring

READY_S = 30
STOP_S = 60


class MountFailed(Exception):
    """`sobre mount` gave up: its exit status and what it said."""

    def __init__(self, status, text):
        super().__init__("mount: exit %s: %s" % (status, text))
        self.status = status
        self.text = text


def _unescape(text):
    return re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), text)


def mount_source(path):
    """The source of the topmost mount at `path`, "" when none is there."""
    found = ""
    with open("/proc/self/mountinfo", errors="surrogateescape") as f:
        for line in f:
            fields = line.split(" ")
            if _unescape(fields[4]) == path:
                found = _unescape(fields[fields.index("-") + 2])
    return found


class Drive:
    """Mounts over `lower` unless `mountpoint` is given."""

    def __init__(self, lower, mountpoint=None, sobre=None, environ=None,
                 options=()):
        self.lower = lower
        self.dir = mountpoint or lower
        self.sobre = sobre or env.SOBRE
        self.environ = dict(os.environ, **(environ or {}))
        self.options = tuple(options)
        self.process = None
        self.log = os.path.join(env.tmp("log"), "daemon.log")

    # --- mounting

    def argv(self):
        over = [] if self.dir == self.lower else [self.dir]
        return [self.sobre, "mount", *self.options, "--foreground",
                self.lower, *over]

    def start(self):
        with open(self.log, "ab") as log, uring.switched_on():
            self.process = subprocess.Popen(
                self.argv(), cwd="/", env=self.environ, stdout=log,
                stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True,  # as a service has
                preexec_fn=env.die_with_parent)
            env.on_end(self.clean)
            self._wait_ready()
        if uring.WANTED and self.alive():
            uring.must_be_on(self.status()["front"])
        return self

    def _wait_ready(self):
        end = time.monotonic() + READY_S
        while not self.mounted():
            status = self.process.poll()
            if status is not None:
                env.taken_down(self.clean)
                self.process = None
                raise MountFailed(status, self.said())
            if time.monotonic() > end:
                self.kill()
                raise MountFailed("none in %d s" % READY_S, self.said())
            time.sleep(0.01)
        try:
            os.stat(self.dir)  # waits until the daemon answers
        except OSError:
            pass  # it died meanwhile: the next step finds that

    def mounted(self):
        return mount_source(self.dir).startswith("sobre#")

    def uuid(self):
        return mount_source(self.dir).partition("#")[2]

    def said(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def wait(self, seconds=STOP_S):
        return self.process.wait(seconds)

    def stop(self):
        """A clean unmount; fails when anything about it isn't clean."""
        self.run("umount", self.dir)
        status = self.wait()
        env.taken_down(self.clean)
        self.process = None
        assert status == 0, "daemon: exit %d\n%s" % (status, self.said())
        assert not self.mounted(), "still mounted"

    def kill(self):
        """As a crash of the daemon; then the dead mount is taken away."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.clean()

    def clean(self):
        """Whatever the state, nothing runs and nothing is mounted after."""
        env.taken_down(self.clean)
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
                try:
                    self.process.wait(10)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
            self.process = None
        while self.mounted():
            if env.run("umount", "-l", self.dir, check=False).returncode:
                break

    def restart(self):
        self.stop()
        return self.start()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, _value, _trace):
        if kind is None and self.alive():
            self.stop()
        else:
            self.clean()

    # --- commands

    def run(self, *args, check=True, **kw):
        """The ordinary program, whichever build serves the mount."""
        return env.run(env.SOBRE, *args, check=check, **kw)

    def json(self, *args):
        done = self.run(*args, "--json")
        value = json.loads(done.stdout)
        assert value.get("schema") == 1, done.stdout
        return value

    def status(self):
        return self.json("status", self.dir)

    def pack(self, *names, check=True):
        """Packs now; the names are below the mount."""
        paths = [os.path.join(self.dir, n) for n in names] or [self.dir]
        if not check:
            return self.run("pack", "--now", *paths, check=False)
        for _ in range(6):
            done = self.json("pack", "--now", *paths)
            if not done.get("left_out", {}).get("in_use"):
                break
            time.sleep(0.02)  # the kernel tells of a close a moment later
        return done

    def unpack(self, *names):
        return self.run("unpack", *[os.path.join(self.dir, n) for n in names])

    def unpack_all(self):
        return self.run("unpack", "--all", self.dir)

    def gc(self):
        return self.run("gc", self.dir, "--grace", "0s")

    def explain(self, name):
        return self.json("explain", os.path.join(self.dir, name))

    def is_packed(self, name):
        """By the lower inode itself, not by what the program says."""
        try:
            os.getxattr(os.path.join(self.below(), name),
                        "trusted.sobre.content", follow_symlinks=False)
            return True
        except OSError:
            return False

    def below(self):
        """The lower directory, also while it is mounted over."""
        if not self.mounted() or self.dir != self.lower:
            return self.lower
        return "/run/sobre/%s/lower" % self.uuid()

    def settled(self, seconds=120):
        """Waits until no scan runs; returns the last status."""
        end = time.monotonic() + seconds
        while True:
            status = self.status()
            if not scanning(status):
                return status
            if time.monotonic() > end:
                raise AssertionError("scan doesn't end: %s" % status)
            time.sleep(0.02)


def clean_all():
    """Takes every drive down that is still up, as after a failure."""
    for undo in env.left():
        if isinstance(getattr(undo, "__self__", None), Drive):
            undo()


def scanning(status):
    scan = status.get("scan") or {}
    return bool(scan.get("running") or status.get("needs_scan"))
