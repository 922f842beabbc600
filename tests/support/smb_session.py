# SPDX-License-Identifier: EUPL-1.2
"""A client of a share that keeps files open, which smbclient can't: Samba's
Python module belongs to the system's python3, so it runs as a process of its
own that takes a command a line, as JSON."""
import base64
import json
import os
import subprocess
import sys

PYTHON = "/usr/bin/python3"
# Access, sharing, disposition: MS-SMB2 2.2.13.
READ, WRITE, DELETE = 0x120089, 0x120116, 0x10000
SHARE_ALL, SHARE_READ, SHARE_NONE = 7, 1, 0
OPEN, CREATE, OPEN_IF, OVERWRITE_IF = 1, 2, 3, 5


class Refused(OSError):
    """By the server: its NT status in words is in the text."""


def missing():
    """Why there can be no session; None: there can."""
    try:
        done = subprocess.run(
            [PYTHON, "-c", "import samba.samba3.libsmb_samba_internal"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    except OSError:
        return "no " + PYTHON
    return "no python3-samba" if done.returncode else None


class Session:
    def __init__(self, server, share, agent="agent1", password=""):
        self.process = subprocess.Popen(
            [PYTHON, os.path.abspath(__file__), server.conf, share, agent,
             password], text=True, cwd="/",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})

    def _ask(self, *command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Refused(0, "the session ended")
        answer = json.loads(line)
        if "refused" in answer:
            raise Refused(0, answer["refused"])
        return answer["value"]

    def open(self, name, access=READ | WRITE, share=SHARE_ALL,
             disposition=OPEN):
        return self._ask("open", name.replace("/", "\\"), access, share,
                         disposition)

    def read(self, handle, at, size):
        return base64.b64decode(self._ask("read", handle, at, size))

    def write(self, handle, at, data):
        self._ask("write", handle, at, base64.b64encode(data).decode())

    def close(self, handle):
        self._ask("close", handle)

    def rename(self, old, new):
        self._ask("rename", old.replace("/", "\\"), new.replace("/", "\\"))

    def watch(self, directory):
        """Asks for changes below; changes() has them."""
        return self._ask("watch", directory.replace("/", "\\"))

    def changes(self, watched):
        """[(name, what)] since the last time; waits for the first."""
        return [tuple(x) for x in self._ask("changes", watched)]

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)


class _Served:
    """The other side, in the system's python3."""

    ACTIONS = {1: "added", 2: "removed", 3: "changed", 4: "renamed from",
               5: "renamed to"}

    def __init__(self, conf, share, agent, password):
        from samba import credentials
        from samba.samba3 import libsmb_samba_internal as libsmb
        from samba.samba3 import param
        lp = param.get_context()
        lp.load(conf)
        creds = credentials.Credentials()
        creds.guess(lp)
        creds.set_username(agent)
        creds.set_password(password)
        creds.set_kerberos_state(credentials.DONT_USE_KERBEROS)
        self.conn = libsmb.Conn("127.0.0.1", share, lp, creds)
        self.watched = {}

    def open(self, name, access, share, disposition):
        return self.conn.create(name, DesiredAccess=access,
                                ShareAccess=share,
                                CreateDisposition=disposition)

    def read(self, handle, at, size):
        return base64.b64encode(self.conn.read(handle, at, size)).decode()

    def write(self, handle, at, data):
        self.conn.write(handle, base64.b64decode(data), at)

    def close(self, handle):
        self.conn.close(handle)

    def rename(self, old, new):
        self.conn.rename(old, new)

    def _notify(self, handle):
        self.watched[handle] = self.conn.notify(
            fnum=handle, buffer_size=65536, completion_filter=0xFFF,
            recursive=True)

    def watch(self, directory):
        handle = self.conn.create(directory, DesiredAccess=READ,
                                  ShareAccess=SHARE_ALL,
                                  CreateDisposition=OPEN, CreateOptions=1)
        self._notify(handle)
        return handle

    def changes(self, handle):
        got = self.watched[handle].get_changes(wait=True)
        self._notify(handle)
        return [(c["name"], self.ACTIONS[c["action"]]) for c in got or []]


def _serve():
    served = None
    for line in sys.stdin:
        name, *args = json.loads(line)
        try:
            served = served or _Served(*sys.argv[1:])
            answer = {"value": getattr(served, name)(*args)}
        except Exception as e:  # told to the test, which judges
            answer = {"refused": str(e)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _serve()
