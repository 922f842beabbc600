# SPDX-License-Identifier: EUPL-1.2
"""A Samba server of the test's own, with tests/conformance/smb.conf: private
directories, a network and two agents that nobody else sees, ended with the
test."""
import fcntl
import glob
import os
import pwd
import signal
import socket
import struct
import subprocess
import time

import env

CONF = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                    "conformance", "smb.conf")
PASSWORD = "Mot2passe"
# Unix accounts of the test's mount namespace only.
AGENTS = {"agent1": 64001, "agent2": 64002}
GROUP, GID = "mairie", 64000
READY_S = 30


_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


def _own_network():
    """A loopback of our own: clients then find us at the usual port."""
    env.check(env.libc().unshare(_CLONE_NEWNET), "unshare")
    with socket.socket() as s:
        fcntl.ioctl(s, _SIOCSIFFLAGS,
                    struct.pack("16sH22x", b"lo", _IFF_UP))


def _cover(path, lines):
    """Lays a copy with more lines over a file, in this namespace alone."""
    copy = os.path.join(env.tmp("etc"), os.path.basename(path))
    with open(path) as f, open(copy, "w") as g:
        g.write(f.read() + "".join(line + "\n" for line in lines))
    env.run("mount", "--bind", copy, path)  # goes with the namespace


def missing():
    """Why no share can be served; None: it can."""
    if not glob.glob("/usr/lib*/*/samba/vfs/streams_xattr.so"):
        return "no samba-vfs-modules"
    return None


def isolate():
    """Agents who can own files, and a network; after env.start()."""
    if AGENTS.keys() <= {entry.pw_name for entry in pwd.getpwall()}:
        return
    _own_network()
    _cover("/etc/passwd", ["%s:x:%d:%d::/nonexistent:/bin/false" % (
        name, uid, GID) for name, uid in AGENTS.items()])
    _cover("/etc/group", ["%s:x:%d:" % (GROUP, GID)])


def give_to_agents(path):
    """As docs/samba.md says: whatever is made below is the group's too."""
    os.chown(path, 0, GID)
    os.chmod(path, 0o2775)
    env.run("setfacl", "-m", "d:g:%s:rwx" % GROUP, path)


def tested_conf():
    """{section: [lines]} of the file that docs/samba.md shows."""
    sections, at = {}, None
    with open(CONF) as f:
        for line in f:
            line = line.strip()
            if line.startswith("["):
                at = sections.setdefault(line[1:-1], [])
            elif line and not line.startswith("#"):
                at.append(line)
    return sections


class Smbd:
    """Serves `shares`: {name: (section of smb.conf, path)}."""

    def __init__(self, shares, extra=()):
        self.dir = env.tmp("smbd")
        self.conf = os.path.join(self.dir, "smb.conf")
        self.process = None
        self.paths = {name: path for name, (_s, path) in shares.items()}
        tested = tested_conf()
        lines = ["[global]"] + tested["global"] + self._own() + list(extra)
        for name, (section, path) in shares.items():
            lines += ["[%s]" % name]
            lines += [x for x in tested[section] if "path =" not in x]
            lines += ["path = " + path]
        with open(self.conf, "w") as f:
            f.write("\n".join(lines) + "\n")

    def _own(self):
        names = ("lock", "state", "cache", "pid", "private", "ncalrpc")
        for name in names:
            # Acting as an agent, smbd looks there for who is alive.
            os.mkdir(os.path.join(self.dir, name),
                     0o700 if name == "private" else 0o755)
        return ["%s%s = %s/%s" % (n, " dir" if n in ("private", "ncalrpc")
                                  else " directory", self.dir, n)
                for n in names] + [
            "smb ports = 445", "disable netbios = yes",
            "log file = %s/log" % self.dir, "max log size = 0",
            "log level = 1", "usershare path ="]

    def start(self):
        for name in AGENTS:
            subprocess.run(["smbpasswd", "-c", self.conf, "-s", "-a", name],
                           input="%s\n%s\n" % (PASSWORD, PASSWORD), text=True,
                           check=True, stdout=subprocess.DEVNULL, cwd="/",
                           stderr=subprocess.DEVNULL)
        with open(os.path.join(self.dir, "out"), "ab") as out:
            self.process = subprocess.Popen(
                ["smbd", "-F", "--no-process-group", "-s", self.conf],
                cwd="/", stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True, preexec_fn=env.die_with_parent)
        env.on_end(self.stop)
        end = time.monotonic() + READY_S
        while self.smbclient("exit", "IPC$", check=False).returncode:
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError("smbd doesn't answer\n" + self.said())
            time.sleep(0.1)
        return self

    def stop(self):
        """Its children are in the session made for it, and no other."""
        env.taken_down(self.stop)
        if self.process is None:
            return
        self._stop_helpers()
        self._signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        self._signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def _stop_helpers(self):
        """Started on demand, in a session of their own."""
        for path in glob.glob(os.path.join(self.dir, "pid", "*.pid")):
            with open(path) as f:
                pid = int(f.read())
            try:
                with open("/proc/%d/cmdline" % pid) as f:
                    ours = self.conf in f.read()
                if ours:
                    os.kill(pid, signal.SIGTERM)
            except OSError:
                pass

    def _signal(self, number):
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def said(self):
        text = ""
        for name in ("out", "log"):
            path = os.path.join(self.dir, name)
            if os.path.exists(path):
                with open(path, errors="replace") as f:
                    text += f.read()[-4000:]
        return text

    def smbclient(self, commands, share="ville", agent="agent1", check=True,
                  **kw):
        return env.run("smbclient", "//127.0.0.1/" + share, "-s", self.conf,
                       "-U", "%s%%%s" % (agent, PASSWORD), "-c", commands,
                       check=check, **kw)
