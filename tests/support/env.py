# SPDX-License-Identifier: EUPL-1.2
"""What the system tests stand on: a mount namespace of their own, temporary
file systems in images, and a main() that ctest understands.

Every test process lives in its own mount namespace, and its children die with
it: however it ends, even by SIGKILL, no mount and no loop device stays.
"""
import atexit
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

SKIPPED = 77  # SKIP_RETURN_CODE in tests/CMakeLists.txt

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS = 0x20000
_MS_REC_PRIVATE = (1 << 14) | (1 << 18)
_PR_SET_PDEATHSIG = 1


def _program(name):
    """Its path, which chdir doesn't change; "" when it isn't given."""
    path = os.environ.get(name, "")
    return path and os.path.abspath(path)


SOBRE = _program("SOBRE")
SOBRE_FAULT = _program("SOBRE_FAULT")

_undo = []  # what is left to take down, newest last
_tmp = None


def die_with_parent():
    """For preexec_fn: the child is killed when its parent ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def libc():
    return _libc


def check(rc, what=""):
    if rc < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
    return rc


def run(*argv, check=True, **kw):
    """subprocess.run with text captured; raises with what was said."""
    kw.setdefault("cwd", "/")
    kw.setdefault("timeout", 300)
    done = subprocess.run([os.fspath(a) for a in argv], text=True,
                          errors="surrogateescape", stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
    if check and done.returncode != 0:
        raise AssertionError("%s: exit %d\n%s%s" % (
            " ".join(map(str, argv)), done.returncode, done.stdout,
            done.stderr))
    return done


def on_end(undo):
    _undo.append(undo)
    return undo


def taken_down(undo):
    if undo in _undo:
        _undo.remove(undo)


def left():
    """What is still to be taken down, newest first."""
    return list(reversed(_undo))


def _take_all_down():
    while _undo:
        try:
            _undo.pop()()
        except Exception as e:  # the rest must still come down
            print("cleanup:", e, file=sys.stderr)


def is_child():
    """After a fork: what is there is the parent's to take down."""
    global _tmp
    atexit.unregister(shutil.rmtree)
    atexit.unregister(_take_all_down)
    _undo.clear()
    _tmp = None
    die_with_parent()


def tmp(name):
    """A fresh path under this process's temporary directory."""
    global _tmp
    if _tmp is None:
        _tmp = tempfile.mkdtemp(prefix="sobre-test-")
        os.chmod(_tmp, 0o755)  # agents of other uids come through
        atexit.register(shutil.rmtree, _tmp, True)
        atexit.register(_take_all_down)  # runs first: last in, first out
    path = tempfile.mkdtemp(prefix=name + "-", dir=_tmp)
    os.chmod(path, 0o755)
    return path


def memory(mib):
    """A directory in memory: how long an fsync takes is not the question."""
    path = tmp("memory")
    run("mount", "-t", "tmpfs", "-o", "size=%dm" % mib, "none", path)
    on_end(lambda: run("umount", "-l", path))
    return path


def _own_namespace():
    check(_libc.unshare(_CLONE_NEWNS), "unshare")
    check(_libc.mount(b"none", b"/", None, _MS_REC_PRIVATE, None), "mount")
    # What daemons that are killed leave there goes with the namespace too.
    os.makedirs("/run/sobre", 0o700, exist_ok=True)
    check(_libc.mount(b"none", b"/run/sobre", b"tmpfs", 0, b"mode=700"),
          "mount")


def missing(programs=()):
    """The one thing that keeps these tests from running; None: nothing."""
    if os.geteuid() != 0:
        return "not root: no right to mount"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "no /dev/fuse"
    if not os.access("/dev/loop-control", os.R_OK | os.W_OK):
        return "no loop devices"
    if not os.access(SOBRE, os.X_OK):
        return "no sobre program (set SOBRE)"
    for program in ("mkfs.ext4", "mount") + tuple(programs):
        if not shutil.which(program):
            return "no %s" % program
    return None


def _unwind(number, _frame):
    sys.exit(128 + number)  # through atexit


def start(programs=()):
    """Call first. Exits with 77 and one line when something is missing."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    os.environ["LC_ALL"] = "C.UTF-8"
    lack = missing(programs)
    if lack:
        print("skipped:", lack)
        sys.exit(SKIPPED)
    os.chdir("/")  # a cwd in the lower would be a way in
    signal.signal(signal.SIGTERM, _unwind)
    signal.signal(signal.SIGHUP, _unwind)
    try:
        _own_namespace()
    except OSError as e:
        print("skipped: no mount namespace:", e)
        sys.exit(SKIPPED)


def main(programs=()):
    start(programs)
    unittest.main(verbosity=2)


class Image:
    """A file system in a sparse file, mounted on a loop device. `direct`:
    what is written to that is not in a page cache of the file."""

    def __init__(self, fs="ext4", size_mib=384, options="", mkfs=(),
                 file=None, root=None, direct=False):
        self.root = root or tmp("image")
        self.file = file or os.path.join(self.root, "disk.img")
        self.dir = os.path.join(self.root, "fs")
        os.makedirs(self.dir, exist_ok=True)
        self.fs = fs
        self.options = options
        self.direct = direct
        self.mounted = False
        if file is None:
            with open(self.file, "wb") as f:
                f.truncate(size_mib << 20)
            force = ["-f"] if fs in ("xfs", "btrfs") else ["-F"]
            run("mkfs." + fs, "-q", *force, *mkfs, self.file)
        self.mount()

    def mount(self):
        options = "loop" + ("," + self.options if self.options else "")
        if self.direct:
            self._mount_direct()
        else:
            run("mount", "-o", options, self.file, self.dir)
        self.mounted = True
        on_end(self.umount)

    def _mount_direct(self):
        attach = ("losetup", "--find", "--show")
        done = run(*attach, "--direct-io=on", self.file, check=False)
        if done.returncode:  # where the file is, there may be none
            done = run(*attach, self.file)
        device = done.stdout.strip()
        try:
            run("mount", "-o", self.options or "rw", device, self.dir)
        finally:
            run("losetup", "-d", device)  # when it is unmounted

    def umount(self):
        taken_down(self.umount)
        if self.mounted:
            if run("umount", self.dir, check=False).returncode:
                run("umount", "-l", self.dir, check=False)
            self.mounted = False

    def remount(self, options):
        run("mount", "-o", "remount," + options, self.dir)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def mkdir(self, name):
        os.mkdir(self.path(name), 0o755)
        return self.path(name)

    def sync(self):
        fd = os.open(self.dir, os.O_RDONLY)
        try:
            check(_libc.syncfs(fd), "syncfs")
        finally:
            os.close(fd)
