# SPDX-License-Identifier: EUPL-1.2
"""What runs out for real, and for a while: room on the lower file system,
descriptors, memory; and a lower that turns read-only. The caller is told, sobre
says what to do, nothing is lost, and all works once there is enough again."""
import errno
import os
import resource
import unittest

import drive
import env
import sample
import tree
import verify

COLD = {"letter": sample.text("letter", 300_000),
        "same letter": sample.text("letter", 300_000),
        "photo": sample.noise("photo", 200_000)}
HOT = {"minutes": sample.text("minutes", 100_000),
       "plan": sample.noise("plan", 400_000)}
FILES = {**COLD, **HOT}
TIME_NS = 1_600_000_000_000_000_000


class Exhausted(unittest.TestCase):
    """A drive with packed files and plain ones."""

    IMAGE_MIB = 48
    MKFS = ("-m", "0")
    OPTIONS = ""
    SOBRE = None

    def setUp(self):
        self.image = env.Image("ext4", self.IMAGE_MIB, mkfs=self.MKFS,
                               options=self.OPTIONS,
                               root=env.memory(self.IMAGE_MIB + 8))
        self.addCleanup(self.image.umount)
        self.lower = self.image.mkdir("drive")
        for name, data in FILES.items():
            sample.put(self.path(name), data)
            os.utime(self.path(name), ns=(TIME_NS, TIME_NS))
        self.drive = drive.Drive(self.lower, sobre=self.SOBRE,
                                 environ=self.environ()).start()
        self.addCleanup(self.drive.clean)
        self.drive.settled()
        self.drive.pack(*COLD)
        for name in COLD:
            self.assertTrue(self.drive.is_packed(name), name)
        self.expect = dict(FILES)

    def environ(self):
        return {}

    def path(self, *names):
        return os.path.join(self.lower, *names)

    def fails(self, *args, **kw):
        """What the command says while it fails."""
        done = self.drive.run(*args, check=False, timeout=20, **kw)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        return done.stderr

    def advised(self, said, words):
        self.assertIn("sobre: what to do: ", said)
        self.assertIn(words, said)

    def all_read(self):
        for name, data in self.expect.items():
            self.assertEqual(tree.read_all(self.path(name)), data, name)

    def write(self, name, data):
        fd = os.open(self.path(name), os.O_RDWR)
        try:
            os.pwrite(fd, data, 0)
            os.fsync(fd)
        finally:
            os.close(fd)

    def writes(self, name):
        self.write(name, b"anew")
        self.expect[name] = b"anew" + self.expect[name][4:]

    def write_fails(self, name, *errors):
        with self.assertRaises(OSError) as told:
            self.write(name, b"anew")
        self.assertIn(told.exception.errno, errors)

    def all_is_well(self):
        self.assertTrue(self.drive.alive(), self.drive.said())
        self.all_read()
        self.drive.settled()
        done = self.drive.pack()
        for name in self.expect:
            self.assertTrue(self.drive.is_packed(name), "%s: %s\n%s" % (
                name, done, self.drive.said()))
        self.writes("minutes")
        self.all_read()
        verify.fsck(self.drive)
        self.drive.restart()
        self.all_read()
        self.drive.run("scrub", self.lower)
        self.drive.gc()
        self.drive.unpack_all()
        verify.fsck(self.drive)
        self.all_read()
        self.drive.stop()
        self.all_read()


class FullLower(Exhausted):
    def fill(self):
        """To the last block; a file of one block more fails."""
        with open(self.image.path("ballast"), "wb", buffering=0) as f:
            for size in (1 << 20, 4096, 1):
                try:
                    while f.write(bytes(size)):
                        pass
                except OSError as e:
                    self.assertEqual(e.errno, errno.ENOSPC)
        self.image.sync()

    def empty(self):
        os.unlink(self.image.path("ballast"))

    def test_a_full_lower_is_told_and_left(self):
        self.fill()
        self.all_read()
        self.advised(self.fails("pack", "--now", self.lower), "sobre gc")
        self.write_fails("letter", errno.ENOSPC)
        self.advised(self.fails("unpack", self.path("photo")), "sobre gc")
        self.all_read()
        self.empty()
        self.all_is_well()

    def test_french(self):
        self.fill()
        said = self.fails("pack", "--now", self.lower, "--lang", "fr")
        self.assertIn("sobre: que faire : il n’y a plus de place", said)
        self.empty()

    def test_a_full_lower_is_mounted_or_says_why(self):
        self.drive.stop()
        self.fill()
        try:
            self.drive.start()
            self.all_read()
            self.drive.stop()
        except drive.MountFailed as e:
            self.assertEqual(e.status, 1)
            self.advised(e.text, "free some")
        self.empty()
        self.drive.start()
        self.all_is_well()


    def test_gc_makes_room_where_there_is_none(self):
        """Twice: what gave room holds some again, and gives it again."""
        for turn in range(2):
            self.fill()
            for name in COLD:
                os.unlink(self.path(name))
                del self.expect[name]
            self.image.sync()
            said = [self.drive.gc().stdout for _ in range(2)]
            self.assertGreater(os.statvfs(self.image.dir).f_bavail,
                               400_000 // 1024, said)
            self.empty()
            for name, data in COLD.items():
                sample.put(self.path(name), data)
                self.expect[name] = data
            self.drive.restart()
            self.drive.pack(*COLD)
        self.all_is_well()

    def test_a_full_lower_is_mounted_by_what_was_held(self):
        self.drive.stop()
        self.fill()
        self.drive.start()
        self.all_read()
        os.unlink(self.path("letter"))
        del self.expect["letter"]
        self.drive.gc()
        self.all_read()
        self.empty()
        self.all_is_well()


class FullForAgents(Exhausted):
    """Root has blocks in reserve, as ext4 gives it by default."""
    MKFS = ("-m", "5")

    def test_gc_makes_room(self):
        os.chmod(self.image.dir, 0o777)
        env.run("sh", "-c", "cat /dev/zero > ballast", cwd=self.image.dir,
                user=1000, check=False)
        for name in COLD:
            os.unlink(self.path(name))
            del self.expect[name]
        self.assertLess(os.statvfs(self.image.dir).f_bavail, 200)
        said = [self.drive.gc().stdout for _ in range(2)]
        packs = os.path.join(self.drive.below(), ".sobre", "packs")
        left = sum(os.path.getsize(os.path.join(at, name))
                   for at, _, names in os.walk(packs) for name in names)
        self.assertEqual(left, 0, said)
        os.unlink(self.image.path("ballast"))
        self.all_is_well()


class ReadOnlyLower(Exhausted):
    def test_a_lower_in_use_is_not_remounted(self):
        """The kernel keeps it: the daemon has files open for writing."""
        with self.assertRaisesRegex(AssertionError, "busy"):
            self.image.remount("ro")
        self.all_is_well()

    def test_a_drive_on_a_read_only_lower(self):
        self.drive.stop()
        self.image.remount("ro")
        with self.assertRaises(drive.MountFailed) as told:
            self.drive.start()
        self.assertEqual(told.exception.status, 1)
        self.advised(told.exception.text, "read-only")
        self.image.remount("rw")
        self.drive.start()
        self.all_is_well()


class FailedLower(Exhausted):
    """ext4 finds an error of its own: read-only till it was checked."""
    OPTIONS = "errors=remount-ro"

    def break_it(self):
        device = env.run("findmnt", "-no", "SOURCE", "-T",
                         self.image.dir).stdout.strip()
        with open("/sys/fs/ext4/%s/trigger_fs_error" %
                  os.path.basename(device), "w") as f:
            f.write("for a test")

    def test_an_error_of_ext4s(self):
        self.image.sync()
        self.break_it()
        self.all_read()
        self.write_fails("letter", errno.EROFS, errno.EIO)
        self.write_fails("plan", errno.EROFS, errno.EIO)
        for command in ("pack", "--now"), ("gc",):
            self.advised(self.fails(*command, self.lower), "dmesg")
        self.all_read()
        self.drive.run("umount", self.lower, check=False)
        self.drive.clean()
        self.image.umount()
        env.run("fsck.ext4", "-fy", self.image.file, check=False)
        self.image.mount()
        self.drive.start()
        self.all_is_well()


class NoDescriptors(Exhausted):
    """Agents have directories open till the daemon has no descriptor left."""
    ROOM = 8

    def use_up(self):
        pid = self.drive.process.pid
        top = max(int(fd) for fd in os.listdir("/proc/%d/fd" % pid))
        self.before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE,
                         (top + 1 + self.ROOM, self.before[1]))
        self.open = []
        with self.assertRaises(OSError) as told:
            while len(self.open) < 200:
                self.open.append(os.open(self.lower, os.O_DIRECTORY))
        self.assertIn(told.exception.errno, (errno.EMFILE, errno.ENFILE))
        self.addCleanup(self.lift)

    def lift(self):
        while self.open:
            os.close(self.open.pop())
        if self.drive.process is not None:
            resource.prlimit(self.drive.process.pid, resource.RLIMIT_NOFILE,
                             self.before)

    def try_all(self):
        for name, data in self.expect.items():
            try:
                self.assertEqual(tree.read_all(self.path(name)), data)
            except OSError as e:
                self.assertIn(e.errno, (errno.EMFILE, errno.ENFILE))
        for command in ("pack", "--now"), ("unpack",), ("gc",), ("scrub",):
            done = self.drive.run(*command, self.lower, check=False,
                                  timeout=20)
            if done.returncode:
                self.assertEqual(done.returncode, 1)
                self.advised(done.stderr, "descriptor")

    def test_commands_are_refused_and_nothing_is_lost(self):
        self.use_up()
        self.advised(self.fails("status", self.lower), "LimitNOFILE")
        while self.open:
            self.try_all()
            os.close(self.open.pop())
        self.lift()
        self.all_is_well()


class While(Exhausted):
    """Every call of a kind fails while a file is there."""
    SOBRE = env.SOBRE_FAULT
    KIND = "memory"
    COMMANDS = (("pack", "--now"), ("unpack",), ("gc",), ("scrub",), ("fsck",),
                ("status",))
    ERROR = errno.ENOMEM

    def environ(self):
        self.arm = os.path.join(env.tmp("arm"), "now")
        return {"SOBRE_FAIL": self.KIND, "SOBRE_FAIL_AT": "1",
                "SOBRE_FAIL_FOR": str(1 << 40),
                "SOBRE_FAIL_ERRNO": str(self.ERROR),
                "SOBRE_FAIL_ARM": self.arm}

    def test_none_at_all_for_a_while(self):
        for _ in range(3):
            self.fails_for_a_while()
            self.all_read()
            # What could not be read was set aside; it reads well again.
            self.drive.run("scrub", self.lower)
            self.drive.settled()
            self.drive.pack()
        # libfuse drops a request that it finds no memory for: a file whose
        # release was one counts as open, and stays plain, till the next mount.
        self.drive.restart()
        self.all_is_well()

    def fails_for_a_while(self):
        with open(self.arm, "w"):
            pass
        for name, data in self.expect.items():
            try:
                self.assertEqual(tree.read_all(self.path(name)), data)
            except OSError:
                pass
            try:
                self.writes(name)
            except OSError:
                self.either(name)
        for command in self.COMMANDS:
            done = self.drive.run(*command, self.lower, check=False,
                                  timeout=60)
            self.assertIn(done.returncode, (0, 1))
        os.unlink(self.arm)
        self.assertTrue(self.drive.alive(), self.drive.said())

    def either(self, name):
        """A write that failed is there or not."""
        os.unlink(self.arm)
        got = tree.read_all(self.path(name))
        old = self.expect[name]
        self.assertIn(got, (old, b"anew" + old[4:]), name)
        self.expect[name] = got
        with open(self.arm, "w"):
            pass


class WhileDbFull(While):
    KIND = "db"
    ERROR = errno.ENOSPC


class WhileDbBroken(While):
    KIND = "db"
    ERROR = errno.EIO


class WhileDbMemory(While):
    KIND = "dbmemory"


class WhileReadsFail(While):
    KIND = "read"
    ERROR = errno.EIO


class WhileOpensFail(While):
    KIND = "open"
    ERROR = errno.EMFILE
    COMMANDS = ()  # nobody accepts the connection, not even to say no


class WhileWritesFail(While):
    KIND = "write"
    ERROR = errno.ENOSPC


if __name__ == "__main__":
    env.main(("findmnt", "fsck.ext4"))
