# SPDX-License-Identifier: EUPL-1.2
"""A daemon that dies is started again at once, as tools/systemd has it, and
whoever was writing loses no byte. docs/operations.md says what is checked."""
import contextlib
import errno
import fcntl
import mmap
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

import case
import drive
import env
import sample
import sys_calls
import tree

UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                    "tools", "systemd", "sobre@.service.in")
REMOUNTED_S = 2.0
# A program that a sanitizer watches takes its time to start.
SLOW = bool(os.environ.get("ASAN_OPTIONS") or os.environ.get("TSAN_OPTIONS"))

# Numbered lines by one descriptor that is never opened again; says each
# line that was written, and ends when its standard input does.
_WRITER = """
import os, select, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
print("open", flush=True)
i = 0
while not select.select([0], [], [], 0.002)[0]:
    line = b"ligne %08d %s\\n" % (i, b"." * (i % 90))
    try:
        if os.write(fd, line) != len(line):
            raise OSError("short")
    except OSError as e:
        print("error", e.errno, flush=True)
        break
    print("line", i, flush=True)
    i += 1
print("end", flush=True)
"""


def unit(key):
    with open(UNIT) as f:
        return re.search("^%s=(.*)$" % key, f.read(), re.M)[1]


def seconds(text):
    number, what = re.fullmatch(r"(\d+)(ms|s|min)", text).groups()
    return int(number) * {"ms": 0.001, "s": 1, "min": 60}[what]


class Supervisor(threading.Thread):
    """What systemd does with the unit: starts, waits for readiness, starts
    again after a failure, and leaves a clean end alone."""

    def __init__(self, d):
        super().__init__(daemon=True)
        self.d = d
        self.notified = threading.Semaphore(0)
        self.ended = threading.Event()
        self.starts = 0
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = os.path.join(env.tmp("notify"), "socket")
        self.socket.bind(path)
        self.environ = dict(d.environ, NOTIFY_SOCKET=path)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            if self.socket.recv(4096) == b"READY=1":
                self.notified.release()

    def _spawn(self):
        log = open(self.d.log, "ab")
        self.starts += 1
        # Its death is for us to see: no PDEATHSIG of this thread.
        self.d.process = subprocess.Popen(
            self.d.argv(), cwd="/", env=self.environ, stdout=log, stderr=log,
            stdin=subprocess.DEVNULL)
        log.close()

    def up(self):
        env.on_end(self.d.clean)
        self._spawn()
        if not self.notified.acquire(timeout=60):
            raise AssertionError("not ready\n" + self.d.said())
        self.start()
        return self

    def run(self):
        while self.d.process.wait() != 0:  # Restart=on-failure
            time.sleep(seconds(unit("RestartSec")))
            self._spawn()
        self.ended.set()

    def kill(self):
        """Kills the daemon; returns how long until the mount answers."""
        start = time.monotonic()
        os.kill(self.d.process.pid, signal.SIGKILL)
        if not self.notified.acquire(timeout=60):
            raise AssertionError("not mounted again\n" + self.d.said())
        os.listdir(self.d.dir)
        return time.monotonic() - start


def call(what):
    """"ok", or the error's name."""
    try:
        what()
        return "ok"
    except OSError as e:
        return errno.errorcode[e.errno]


class CrashRemount(case.DriveCase):
    def up(self, *options):
        d = drive.Drive(self.lower, options=options)
        s = Supervisor(d).up()
        self.addCleanup(self.down, s)
        d.settled()
        return d, s

    def down(self, s):
        s.d.run("umount", self.lower, check=False)
        if not s.ended.wait(60):
            s.d.process.kill()
        s.d.process = None
        s.d.clean()

    def passthrough(self, d):
        return d.status()["front"]["passthrough"]["on"]

    def writer(self, name):
        p = subprocess.Popen([sys.executable, "-c", _WRITER,
                              self.path(name)], cwd="/", text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             preexec_fn=env.die_with_parent)
        self.assertEqual("open\n", p.stdout.readline())
        return p

    def lines(self, n):
        return b"".join(b"ligne %08d %s\n" % (i, b"." * (i % 90))
                        for i in range(n))

    def assert_left_out(self, d, name, *why):
        """The packer has tried it, tells why not, and the file is plain."""
        said = d.json("pack", "--now", self.path(name))
        self.assertEqual((0, 1), (said["packed"],
                                  sum(said["left_out"].values())), said)
        self.assertIn(list(said["left_out"])[0], why)
        self.assertFalse(d.is_packed(name), name)

    def assert_holds(self, d, name, want):
        """The same bytes by the mount, plain and packed, and in the lower."""
        self.assertEqual(want, tree.read_all(self.path(name)))
        d.pack(name)
        self.assertTrue(d.is_packed(name))
        self.assertEqual(want, tree.read_all(self.path(name)))
        d.unpack(name)
        self.assertEqual(want, tree.read_all(os.path.join(d.below(), name)))

    def test_unit_says_what_is_done_here(self):
        self.assertEqual("notify", unit("Type"))
        self.assertEqual("on-failure", unit("Restart"))
        self.assertTrue(unit("ExecStart").endswith(
            "sobre mount --foreground %i"))
        self.assertTrue(unit("ExecStop").endswith("sobre umount %i"))

    def test_ready_is_said_when_the_mount_answers(self):
        d, s = self.up()
        self.assertTrue(d.mounted())
        self.assertIn("gros.csv", os.listdir(self.lower))
        self.assertEqual(1, s.starts)
        self.assertFalse(s.notified.acquire(blocking=False), "said twice")

    def test_unmounted_on_purpose_it_stays_so(self):
        d, s = self.up()
        d.run("umount", self.lower)
        self.assertTrue(s.ended.wait(60))
        self.assertEqual(1, s.starts)
        self.assertFalse(d.mounted())

    def try_to_pack_under(self, w, d, name):
        """While it writes, and in a rest of its own, where nothing but the
        missing lease tells that it has the file open and will go on."""
        for _ in range(5):
            self.assert_left_out(d, name, "in_use", "changed")
        os.kill(w.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, w.pid, os.WSTOPPED)
        for _ in range(2):
            self.assert_left_out(d, name, "in_use")
        os.kill(w.pid, signal.SIGCONT)

    def test_a_writer_that_outlives_the_daemon_loses_no_byte(self):
        d, s = self.up()
        sample.put(self.path("journal.txt"), b"")
        w = self.writer("journal.txt")
        took = []
        for _ in range(3):
            time.sleep(0.3)
            took.append(s.kill())
            if self.passthrough(d):
                self.try_to_pack_under(w, d, "journal.txt")
        said = w.communicate("\n", timeout=60)[0].split("\n")
        written = sum(x.startswith("line") for x in said)
        failed = [x for x in said if x.startswith("error")]
        self.assertGreater(written, 50)
        self.assertEqual(self.lines(written),
                         tree.read_all(self.path("journal.txt")))
        # Without passthrough it is told that its write was lost.
        self.assertEqual([] if self.passthrough(d) else
                         ["error %d" % errno.ENOTCONN], failed)
        print("mounted again after", ["%.2f s" % t for t in took])
        if not SLOW:
            self.assertLess(max(took), REMOUNTED_S)
        # It has closed: now it may be packed.
        self.assert_holds(d, "journal.txt", self.lines(written))
        d.settled()
        d.run("fsck", self.lower)

    def test_what_is_open_from_before_is_not_packed(self):
        """A reader, a descriptor, a mapping; each at rest while the packer
        tries, and changing the file again after it."""
        d, s = self.up()
        if not self.passthrough(d):
            self.skipTest("no passthrough")
        want = bytearray(sample.text("csv", 3 << 20))
        photo = sample.noise("photo", 700000)
        reader = os.open(self.path("photo.jpg"), os.O_RDONLY)
        fd = os.open(self.path("gros.csv"), os.O_RDWR)
        mapped = sys_calls.Mapping(fd, len(want))
        ends = contextlib.ExitStack()
        self.addCleanup(ends.close)
        ends.callback(mapped.close)
        ends.callback(os.close, reader)

        def store(off, data):
            want[off:off + len(data)] = data
            mapped.store(off, data)

        def write(off, data):
            want[off:off + len(data)] = data
            self.assertEqual(len(data), os.pwrite(fd, data, off))

        store(0, b"before")  # a page that is dirty when the daemon dies
        s.kill()
        self.assert_left_out(d, "photo.jpg", "in_use")
        self.assertEqual(photo, os.pread(reader, len(photo), 0))
        for i in range(3):
            for change in (store, write):
                change(40960 * i, b"%06d" % i)
                self.assert_left_out(d, "gros.csv", "in_use")
                change(40960 * i + 8, b"%06d" % i)
        os.close(fd)
        self.assert_left_out(d, "gros.csv", "in_use")
        self.stores_beside_the_packer(d, "gros.csv", store)
        ends.close()
        self.assert_holds(d, "gros.csv", bytes(want))
        self.assert_holds(d, "photo.jpg", photo)
        d.run("fsck", self.lower)

    def stores_beside_the_packer(self, d, name, store):
        stop = threading.Event()

        def stores():
            i = 0
            while not stop.wait(0.0005):
                store(i * 40961 % (2 << 20), b"%08d" % i)
                i += 1

        thread = threading.Thread(target=stores)
        thread.start()
        try:
            for _ in range(5):
                self.assert_left_out(d, name, "in_use", "changed")
        finally:
            stop.set()
            thread.join()

    def test_departments_are_found_below_the_dead_mount(self):
        config = os.path.join(env.tmp("config"), "drive.yaml")
        os.makedirs(self.path("Urbanisme"))
        sample.put(self.path("Urbanisme/plan.txt"), b"plan")
        sample.put(config, b"departments: [{ id: urb, name: Urbanisme, "
                           b"paths: [/Urbanisme] }]\n")
        d, s = self.up("--config", config)
        s.kill()
        self.assertEqual(2, s.starts, d.said())
        said = d.json("du", self.path("Urbanisme/plan.txt"))
        self.assertEqual(["urb"], said["paths"][0]["departments"])

    def test_what_is_below_stays_covered_until_the_drive_is_back(self):
        """A start that fails half way leaves the dead mount where it is:
        below it root would read packed files as zeros."""
        d = self.mounted()
        d.pack("gros.csv")
        below = d.below()
        d.process.kill()
        d.process.wait()
        d.process = None
        with open(os.path.join(below, ".sobre/drive"), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            said = d.run("mount", self.lower, check=False)
        self.assertEqual(1, said.returncode, said.stderr)
        self.assertIn("already serves", said.stderr)
        self.assertEqual("ENOTCONN", call(lambda: os.listdir(self.lower)))
        d.run("mount", self.lower)
        self.assertEqual(sample.text("csv", 3 << 20),
                         tree.read_all(self.path("gros.csv")))
        d.run("umount", self.lower)
        self.assertFalse(d.mounted(), "a dead mount stood below")

    def test_a_dead_mount_elsewhere_than_over_the_lower(self):
        point = env.tmp("point")
        d = drive.Drive(self.lower, point).start()
        self.addCleanup(d.clean)
        d.settled()
        d.process.kill()
        d.process.wait()
        d.process = None
        d.run("mount", self.lower, point)
        self.assertIn("gros.csv", os.listdir(point))
        d.run("umount", point)
        self.assertFalse(d.mounted(), "a dead mount stood below")

    def test_what_open_files_see(self):
        d, s = self.up()
        if not self.passthrough(d):
            self.skipTest("no passthrough")
        for name in ("note 1.txt", "gros.csv"):
            d.pack(name)
        opened = lambda name, how: os.open(self.path(name), how)
        plain = opened("photo.jpg", os.O_RDONLY)
        written = opened("note 2.txt", os.O_RDWR)
        packed = opened("gros.csv", os.O_RDWR)
        where = os.open(self.lower, os.O_RDONLY)
        self.addCleanup(lambda: [os.close(fd) for fd in (
            plain, written, packed, where)])
        mapped = mmap.mmap(written, 4096)
        fcntl.flock(written, fcntl.LOCK_EX)
        s.kill()
        # Plain and open in passthrough: data goes on, straight to the lower.
        self.assertEqual(sample.noise("photo", 700000)[:4096],
                         os.pread(plain, 4096, 0))
        self.assertEqual("ok", call(lambda: os.pwrite(written, b"un", 0)))
        mapped[2:6] = b"deux"
        self.assertEqual("ok", call(mapped.flush))
        # Whatever needs the daemon that is gone says so.
        for what in (lambda: os.fsync(written), lambda: os.fstat(written),
                     lambda: os.ftruncate(written, 9),
                     lambda: os.pread(packed, 4096, 1 << 20),
                     lambda: os.pwrite(packed, b"x", 0),
                     lambda: os.listdir(where),
                     lambda: os.open("vide", os.O_RDONLY, dir_fd=where)):
            self.assertEqual("ENOTCONN", call(what))
        # Opened anew all is there; the old lock is not seen any more.
        fd = opened("note 2.txt", os.O_RDWR)
        self.assertEqual(b"undeux", os.pread(fd, 6, 0))
        self.assertEqual("ok", call(lambda: fcntl.flock(
            fd, fcntl.LOCK_EX | fcntl.LOCK_NB)))
        os.close(fd)
        self.assertEqual(sample.text("csv", 3 << 20),
                         tree.read_all(self.path("gros.csv")))
        # What old descriptors write is not packed: no lease is to be had.
        self.assert_left_out(d, "note 2.txt", "in_use")
        mapped[6:11] = b"trois"
        mapped.close()
        self.assertEqual(b"undeuxtrois",
                         tree.read_all(self.path("note 2.txt"))[:11])

    def test_dies_and_comes_back_again_and_again(self):
        d, s = self.up()
        before = tree.snapshot(self.lower, tree.SAME_STEPS)
        for i in range(8):
            packer = subprocess.Popen(
                [env.SOBRE, "pack" if i % 2 else "unpack", "--now"
                 if i % 2 else "--all", self.lower], cwd="/",
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.02 * i)
            s.kill()
            packer.wait(60)
        self.assertEqual(9, s.starts)
        d.settled()
        tree.assert_same(self, before,
                         tree.snapshot(self.lower, tree.SAME_STEPS))
        d.run("fsck", self.lower)


if __name__ == "__main__":
    env.main()
