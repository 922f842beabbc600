# SPDX-License-Identifier: EUPL-1.2
"""Where a suite runs, and what it must find on the machine.

All is in mount and process namespaces of its own: the users and the mount
helper that xfstests asks for lie over /etc and /sbin there, not on the machine,
what it kills by name is its own, and nothing is left however it ends.
"""
import os
import signal
import subprocess
import sys

import drive
import env

# Who xfstests and LTP want to be there.
USERS = (("fsgqa", 61001), ("123456-fsgqa", 61002), ("fsgqa2", 61003))


def start():
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    os.environ["LC_ALL"] = "C"
    lack = env.missing()
    if lack:
        raise SystemExit("run: " + lack)
    if os.getpid() != 1:
        os.execvp("unshare", [
            "unshare", "--mount", "--pid", "--fork", "--kill-child",
            "--mount-proc", "--propagation", "private", sys.executable,
            *sys.argv])
    env.SOBRE = os.path.realpath(env.SOBRE)
    env._own_namespace()
    os.chdir("/")
    os.umask(0o022)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def over(path, content, mode=0o644):
    """`content` in place of the file at `path`, here only."""
    ours = os.path.join(env.tmp("over"), os.path.basename(path))
    with open(ours, "w") as f:
        f.write(content)
    os.chmod(ours, mode)
    env.run("mount", "--bind", ours, path)
    env.on_end(lambda: env.run("umount", "-l", path, check=False))


def users():
    with open("/etc/passwd") as f:
        passwd = f.read()
    with open("/etc/group") as f:
        group = f.read()
    for name, number in USERS:
        if "\n%s:" % name not in passwd:
            passwd += "%s:*:%d:%d::/tmp:/bin/bash\n" % (
                name, number, number)
        if "\n%s:" % name not in group:
            group += "%s:x:%d:\n" % (name, number)
    over("/etc/passwd", passwd)
    over("/etc/group", group)


def sbin_with(name, text):
    """One more program in /usr/sbin, here only."""
    work = env.Image("ext4", 64).mkdir("over")
    upper, index = os.path.join(work, "upper"), os.path.join(work, "work")
    os.mkdir(upper, 0o755)
    os.mkdir(index)
    with open(os.path.join(upper, name), "w") as f:
        f.write(text)
    os.chmod(os.path.join(upper, name), 0o755)
    env.run("mount", "-t", "overlay", "overlay", "-o",
            "lowerdir=/usr/sbin,upperdir=%s,workdir=%s" % (upper, index),
            "/usr/sbin")
    env.on_end(lambda: env.run("umount", "-l", "/usr/sbin", check=False))


class Directory:
    """A fresh directory to work in: on ext4, or on a mount over another."""

    def __init__(self, side, gib, options=()):
        self.image = env.Image("ext4", gib * 1024)
        self.drive = None
        self.dir = self.image.mkdir("fs")
        os.chmod(self.dir, 0o777)
        if side == "mount":
            self.drive = drive.Drive(self.dir, options=options).start()

    def close(self):
        if self.drive:
            self.drive.stop()
        self.image.umount()
        os.unlink(self.image.file)


def run_test(argv, cwd, seconds, environ=None):
    """Its status (None: it took too long) and what it said."""
    p = subprocess.Popen(
        argv, cwd=cwd, env=dict(os.environ, **(environ or {})),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace",
        start_new_session=True)
    try:
        out, _ = p.communicate(timeout=seconds)
        return p.returncode, out
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, 9)
        out, _ = p.communicate()
        return None, out
