# SPDX-License-Identifier: EUPL-1.2
"""Inode numbers, generations and handles stay what they are: packed, copied
up, forgotten by the kernel, mounted again."""
import ctypes
import errno
import os

import case
import env
import sample
import tree

BIG = sample.text("handles", 200000)
_AT_EMPTY_PATH = 0x1000
_MAX = 128


class _Handle(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_uint), ("type", ctypes.c_int),
                ("handle", ctypes.c_ubyte * _MAX)]


def handle_of(path):
    """name_to_handle_at(2): (type, bytes)."""
    h = _Handle(bytes=_MAX)
    mount_id = ctypes.c_int()
    fd = os.open(path, os.O_PATH | os.O_NOFOLLOW)
    try:
        env.check(env.libc().name_to_handle_at(
            fd, b"", ctypes.byref(h), ctypes.byref(mount_id),
            _AT_EMPTY_PATH), path)
    finally:
        os.close(fd)
    return h.type, bytes(h.handle[:h.bytes])


def open_handle(top, handle, flags=os.O_RDONLY):
    """open_by_handle_at(2)."""
    kind, raw = handle
    h = _Handle(bytes=len(raw), type=kind)
    ctypes.memmove(h.handle, raw, len(raw))
    mount = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return env.check(env.libc().open_by_handle_at(
            mount, ctypes.byref(h), flags), "open_by_handle_at")
    finally:
        os.close(mount)


def forget():
    """The kernel lets go of what nobody uses."""
    with open("/proc/sys/vm/drop_caches", "w") as f:
        f.write("2\n")


def open_handle_of_recorded(d, path):
    """Opened once, so that the catalog knows it."""
    handle = handle_of(path)
    forget()
    os.close(open_handle(d.dir, handle))


class Handles(case.DriveCase):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("a"))
        os.mkdir(self.path("a", "b"))
        sample.put(self.path("a", "b", "f"), BIG)
        os.symlink("f", self.path("a", "b", "lien"))
        os.mkfifo(self.path("a", "b", "tube"))
        self.names = [("a",), ("a", "b"), ("a", "b", "f"),
                      ("a", "b", "lien"), ("a", "b", "tube")]

    def numbers(self):
        return [os.lstat(self.path(*n)).st_ino for n in self.names]

    def handles(self):
        return [handle_of(self.path(*n)) for n in self.names]

    def test_inode_numbers_are_the_lower_s_for_good(self):
        lower = self.numbers()
        d = self.mounted()
        self.assertEqual(lower, self.numbers())
        self.assertEqual(lower[2:], [
            e.inode() for e in sorted(os.scandir(self.path("a", "b")),
                                      key=lambda e: e.name)])
        d.pack()
        self.assertTrue(d.is_packed("a/b/f"))
        forget()
        self.assertEqual(lower, self.numbers())
        with open(self.path("a", "b", "f"), "r+b") as f:
            f.write(b"copie")
        self.assertEqual(lower, self.numbers())
        d.restart()
        self.assertEqual(lower, self.numbers())

    def test_handles_stay_and_open_what_the_kernel_forgot(self):
        d = self.mounted()
        d.settled()
        handles = self.handles()
        forget()
        fd = open_handle(d.dir, handles[2])
        self.assertEqual(BIG, os.pread(fd, len(BIG) + 1, 0))
        os.close(fd)
        d.pack()
        forget()
        self.assertEqual(handles, self.handles())
        d.restart()
        for name, handle in zip(self.names, handles):
            fd = open_handle(d.dir, handle, os.O_PATH)
            self.assertTrue(os.path.samestat(os.lstat(self.path(*name)),
                                             os.fstat(fd)), name)
            os.close(fd)
        forget()
        fd = open_handle(d.dir, handles[2], os.O_RDWR)
        self.assertEqual(BIG[:100], os.pread(fd, 100, 0))
        os.pwrite(fd, b"par poignee", 0)
        os.close(fd)
        self.assertEqual(b"par poignee" + BIG[11:],
                         tree.read_all(self.path("a", "b", "f")))

    def test_a_directory_by_handle_knows_its_path(self):
        d = self.mounted()
        d.settled()
        handle = handle_of(self.path("a", "b"))
        d.restart()
        fd = open_handle(d.dir, handle, os.O_RDONLY | os.O_DIRECTORY)
        self.assertEqual(self.path("a", "b"),
                         os.readlink("/proc/self/fd/%d" % fd))
        self.assertEqual(["f", "lien", "tube"], sorted(os.listdir(fd)))
        os.close(fd)

    def test_a_file_just_made_opens_by_handle(self):
        d = self.mounted()
        sample.put(self.path("neuf"), BIG)
        handle = handle_of(self.path("neuf"))
        forget()
        fd = open_handle(d.dir, handle)
        self.assertEqual(BIG[:50], os.read(fd, 50))
        os.close(fd)

    def test_a_file_just_made_with_an_old_number_opens_by_handle(self):
        d = self.mounted()
        sample.put(self.path("vieux"), BIG)
        ino = os.stat(self.path("vieux")).st_ino
        open_handle_of_recorded(d, self.path("vieux"))
        os.unlink(self.path("vieux"))
        for i in range(50):
            sample.put(self.path("neuf%d" % i), BIG)
            if os.stat(self.path("neuf%d" % i)).st_ino == ino:
                break
        handle = handle_of(self.path("neuf%d" % i))
        forget()
        fd = open_handle(d.dir, handle)
        self.assertEqual(BIG[:50], os.read(fd, 50))
        os.close(fd)

    def test_a_handle_of_what_is_gone_is_stale(self):
        d = self.mounted()
        f, b = handle_of(self.path("a", "b", "f")), handle_of(self.path("a"))
        env.run("rm", "-r", self.path("a"))
        forget()
        for handle in (f, b):
            with self.assertRaises(OSError) as caught:
                open_handle(d.dir, handle, os.O_PATH)
            self.assertEqual(errno.ESTALE, caught.exception.errno)

    def test_a_number_used_again_is_another_file(self):
        """The old handle never opens the new file."""
        d = self.mounted()
        again = None
        for i in range(200):
            sample.put(self.path("v%d" % i), b"vieux")
            old = os.stat(self.path("v%d" % i)).st_ino
            handle = handle_of(self.path("v%d" % i))
            os.unlink(self.path("v%d" % i))
            sample.put(self.path("n%d" % i), b"neuf")
            if os.stat(self.path("n%d" % i)).st_ino == old:
                again = handle
                break
        if again is None:
            self.skipTest("this lower does not use numbers again")
        self.assertNotEqual(again, handle_of(self.path("n%d" % i)))
        for _ in range(2):
            with self.assertRaises(OSError) as caught:
                open_handle(d.dir, again)
            self.assertEqual(errno.ESTALE, caught.exception.errno)
            forget()

    def test_the_state_directory_has_no_handle(self):
        """Not by one from the lower either: it isn't a file of the drive."""
        d = self.mounted()
        below = os.path.join(d.below(), ".sobre")
        ino = os.stat(below).st_ino
        kind, raw = handle_of(self.path("a"))
        forged = ino.to_bytes(8, "little")
        shape = raw.find(os.stat(self.path("a")).st_ino.to_bytes(
            8, "little"))
        if shape < 0:  # FUSE writes the high half first
            ours = os.stat(self.path("a")).st_ino
            swapped = (ours >> 32).to_bytes(4, "little") + \
                (ours & 0xffffffff).to_bytes(4, "little")
            shape = raw.find(swapped)
            forged = (ino >> 32).to_bytes(4, "little") + \
                (ino & 0xffffffff).to_bytes(4, "little")
        self.assertGreaterEqual(shape, 0)
        with self.assertRaises(OSError):
            open_handle(d.dir, (kind, raw[:shape] + forged +
                                raw[shape + 8:]), os.O_PATH)


if __name__ == "__main__":
    env.main()
