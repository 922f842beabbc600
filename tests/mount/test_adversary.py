#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""An agent who knows the code and may write learns nothing of what others
have, forges nothing, and keeps nobody else from working
(docs/design/threats.md)."""
import errno
import json
import os
import signal
import socket
import subprocess
import unittest

import case
import drive
import env
import sample

CONNECTIONS = 40
AGENT = 4242  # of no group of the other department
FOOTPRINT = "user.sobre.footprint"
FLAG = "user.sobre.flag"
STUB = "trusted.sobre.content"
CONFIG = """\
departments:
  - { id: ccas, name: CCAS, paths: ["/CCAS"] }
  - { id: urb, name: Urbanisme, paths: ["/Urbanisme"] }
"""
RULES = """\
rules:
  - id: copies
    label: Copies
    source: "test"
    record: T-01
    personal: no
    paths: ["/**"]
    duplicate: yes
    then: flag
  - id: all
    label: All
    source: "test"
    record: T-02
    personal: no
    paths: ["/**"]
    then: flag
"""


def as_agent(call, *args):
    """What `call` returns when an agent makes it: JSON, or the errno."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(AGENT, AGENT, AGENT)
            os.setresuid(AGENT, AGENT, AGENT)
            said = call(*args)
        except OSError as e:
            said = {"errno": e.errno}
        os.write(write, json.dumps(said).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as f:
        said = f.read()
    os.waitpid(child, 0)
    return json.loads(said)


def attribute(path, name):
    return json.loads(os.getxattr(path, name))


def blocks_of(path):
    return os.stat(path).st_blocks


def errno_of(call, *args):
    try:
        call(*args)
    except OSError as e:
        return e.errno
    return 0


class Connections:
    """Of an agent, each with a request that never ends; closed at the end."""

    def __init__(self, path):
        read, write = os.pipe()
        self.child = os.fork()
        if self.child == 0:
            os.setresgid(AGENT, AGENT, AGENT)
            os.setresuid(AGENT, AGENT, AGENT)
            held = [self.connect(path) for _ in range(CONNECTIONS)]
            os.write(write, b"x" * len(held))
            signal.pause()
        os.close(write)
        while os.read(read, CONNECTIONS):
            break
        os.close(read)

    @staticmethod
    def connect(path):
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        try:
            s.send(b"\xff\xff\x0f\0{")  # of a megabyte, which doesn't come
        except BrokenPipeError:
            pass  # refused already
        return s

    def close(self):
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)


class Agent(case.DriveCase):
    def setUp(self):
        super().setUp()
        config = os.path.join(env.tmp("etc"), "drive.yaml")
        sample.put(config, CONFIG.encode())
        policies = env.tmp("policies")
        sample.put(os.path.join(policies, "10-test.yaml"), RULES.encode())
        self.options = ("--config", config, "--policies", policies)
        os.mkdir(self.path("CCAS"), 0o700)
        os.mkdir(self.path("Urbanisme"), 0o755)
        self.other = sample.text("secret", 60_000)
        sample.put(self.path("CCAS", "secret"), self.other)

    def mine(self, name, data, packed=True):
        sample.put(self.path("Urbanisme", name), data)
        os.chown(self.path("Urbanisme", name), AGENT, AGENT)
        if packed:
            self.d.pack()
            self.assertTrue(self.d.is_packed("Urbanisme/" + name))
        return self.path("Urbanisme", name)

    def mount(self):
        self.d = self.mounted(options=self.options)
        self.d.settled()


class Learns(Agent):
    """Has somebody else the bytes that the agent has just written?"""

    def setUp(self):
        super().setUp()
        self.mount()
        self.d.pack()
        changed = bytearray(self.other)
        changed[::4000] = bytes(len(changed[::4000]))
        self.theirs = self.mine("known", self.other)
        self.own = self.mine("unknown", bytes(changed))
        self.d.status()  # events are behind us
        self.d.run("du", self.lower)

    def same(self, call, *args):
        """Of both files the agent is told the same."""
        said = [as_agent(call, path, *args) for path in
                (self.theirs, self.own)]
        self.assertEqual(said[0], said[1])
        return said[0]

    def test_root_is_told(self):
        """Else the test below would hold for nothing."""
        theirs, own = (attribute(path, FOOTPRINT) for path in
                       (self.theirs, self.own))
        self.assertEqual(0, theirs["exclusive_bytes"])
        self.assertNotEqual(0, own["exclusive_bytes"])
        flags = [f["rule"] for f in attribute(self.theirs, FLAG)["flags"]]
        self.assertIn("copies", flags)

    def test_the_footprint_says_what_the_file_would_cost_alone(self):
        said = self.same(attribute, FOOTPRINT)
        self.assertEqual(len(self.other), said["share_bytes"])
        self.assertTrue(said["at_most"])
        self.assertEqual(["urb"], said["departments"])

    def test_no_folder_adds_up_what_the_agent_may_not_read(self):
        for folder in ("", "Urbanisme"):
            self.assertEqual({"errno": errno.EACCES},
                             as_agent(attribute, self.path(folder), FOOTPRINT))

    def test_no_rule_on_copies_shows(self):
        said = self.same(attribute, FLAG)
        self.assertEqual(["all"], [f["rule"] for f in said["flags"]])

    def test_blocks_and_times_are_those_of_a_plain_file(self):
        plain = self.mine("plain", self.other, packed=False)
        os.sync()
        said = [as_agent(blocks_of, path) for path in
                (self.theirs, self.own, plain)]
        self.assertEqual(said[2:] * 2, said[:2])

    def test_the_daemon_answers_root_alone(self):
        for command in (["status", self.lower], ["explain", self.theirs],
                        ["du", self.theirs], ["pack", self.theirs]):
            done = env.run(env.SOBRE, *command, check=False, user=AGENT,
                           group=AGENT, extra_groups=[])
            self.assertNotEqual(0, done.returncode)
            self.assertNotIn("secret", done.stdout + done.stderr)
            self.assertEqual("", done.stdout)
        run = "/run/sobre/%s" % self.d.uuid()
        for name in ("control.sock", "log", "lower"):
            self.assertEqual({"errno": errno.EACCES},
                             as_agent(blocks_of, os.path.join(run, name)))


class KeepsBusy(Agent):
    def setUp(self):
        super().setUp()
        self.mount()

    def test_half_open_connections_keep_root_waiting_for_nothing(self):
        """Also if somebody had opened the directory and the socket."""
        run = "/run/sobre/%s" % self.d.uuid()
        sock = os.path.join(run, "control.sock")
        for path, mode in ((run, 0o755), ("/run/sobre", 0o755),
                           (sock, 0o666)):
            os.chmod(path, mode)
        self.addCleanup(os.chmod, "/run/sobre", 0o700)
        held = Connections(sock)
        self.addCleanup(held.close)
        self.assertEqual(self.lower, self.d.status()["lower"])

    def test_a_file_of_nothing_but_parts_stays_plain(self):
        """A row, and an entry of a recipe or two, for each KiB."""
        path = self.path("Urbanisme", "peigne")
        block = os.statvfs(self.d.below()).f_bsize
        self.assertEqual(1024, block)  # else there is no such file
        parts = [(2 * n * block, sample.noise(n, block)) for n in range(3000)]
        sample.put_sparse(path, 6000 * block, parts)
        os.sync()
        before = self.d.status()["store"]["chunks"]
        done = json.loads(self.d.run("pack", "--now", "--json", path,
                                     check=False).stdout)
        self.assertEqual((0, 1), (done["packed"], done["left_out"]["error"]))
        self.assertEqual("EFBIG", done["error"]["code"])
        self.assertEqual(before, self.d.status()["store"]["chunks"])
        with open(path, "rb") as f:
            for at, data in parts:
                self.assertEqual(data, os.pread(f.fileno(), block, at))

    def test_a_mount_namespace_of_an_agent_is_no_other_way_in(self):
        child = subprocess.Popen(
            ["unshare", "-Urm", "sleep", "60"], user=AGENT, group=AGENT,
            extra_groups=[], cwd="/", stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        try:
            with open("/proc/%d/comm" % child.pid) as f:
                while f.read() != "sleep\n" and child.poll() is None:
                    f.seek(0)
            if child.poll() is None:  # else the kernel lets no agent have one
                self.assertEqual([], self.d.status()["ways"])
        finally:
            child.kill()
            child.wait()
        self.d.pack()
        self.assertTrue(self.d.is_packed("CCAS/secret"))


class Forges(Agent):
    """Attributes of ours come from nobody else."""

    def setUp(self):
        super().setUp()
        self.mount()
        self.d.pack()
        self.theirs = os.getxattr(os.path.join(self.d.below(), "CCAS/secret"),
                                  STUB)

    def refused(self, path, name, as_who):
        self.assertIn(as_who(errno_of, os.setxattr, path, name, self.theirs),
                      (errno.EPERM, errno.EOPNOTSUPP))

    def test_no_one_sets_a_stub(self):
        path = self.mine("plain", b"x" * 50_000, packed=False)
        for name in (STUB, "user.sobre.content", "user.sobre.footprint",
                     "security.sobre.content", "trusted.sobre.root",
                     "user.sobre.", "trusted.sobre.x"):
            self.refused(path, name, as_agent)
            self.refused(path, name, lambda call, *args: call(*args))
        below = os.path.join(self.d.below(), "Urbanisme/plain")
        self.assertEqual([], os.listxattr(below))
        self.assertEqual(b"x" * 50_000, open(path, "rb").read())

    def test_a_copy_is_of_the_bytes_not_of_the_stub(self):
        """By root, who could read and set any other attribute."""
        copies = env.tmp("copies")
        env.run("tar", "--xattrs", "--xattrs-include=*", "-C",
                self.path("CCAS"), "-cf", copies + "/t.tar", "secret")
        env.run("tar", "--xattrs", "--xattrs-include=*", "-C",
                self.path("Urbanisme"), "-xf", copies + "/t.tar")
        env.run("cp", "-a", "--preserve=all", self.path("CCAS/secret"),
                self.path("Urbanisme/cp"))
        names = ["secret", "cp"]
        if subprocess.run(["which", "rsync"], capture_output=True,
                          check=False).returncode == 0:
            env.run("rsync", "-aAX", self.path("CCAS/secret"),
                    self.path("Urbanisme/rsync"))
            names.append("rsync")
        for name in names:
            path = self.path("Urbanisme", name)
            self.assertFalse(self.d.is_packed("Urbanisme/" + name))
            self.assertEqual(self.other, open(path, "rb").read())
            self.assertEqual([], os.listxattr(path))

    def test_a_stub_that_somebody_put_on_the_lower_gives_no_other_bytes(self):
        """Who has the lower has everything; but a slip of root's, a stub
        copied to a file of another size, must not read as that file."""
        below = os.path.join(self.d.below(), "Urbanisme", "slip")
        sample.put(below, b"y" * 1000)
        os.setxattr(below, STUB, self.theirs[:8] + bytes(40))
        self.assertEqual(errno.EIO, errno_of(
            open, self.path("Urbanisme", "slip"), "rb"))


if __name__ == "__main__":
    env.main()
