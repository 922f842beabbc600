# SPDX-License-Identifier: EUPL-1.2
"""Plain to packed and back: nothing that an agent can see changes."""
import fcntl
import mmap
import os
import stat
import threading

import case
import drive
import env
import sample
import sys_calls
import tree


class States(case.DriveCase):
    def test_mounting_changes_nothing(self):
        before = tree.snapshot(self.lower)
        d = self.mounted()
        tree.assert_same(self, before, tree.snapshot(self.lower))
        d.settled()
        d.stop()
        tree.assert_same(self, before, tree.snapshot(self.lower))

    def test_packing_is_not_to_be_seen(self):
        d = self.mounted()
        before = tree.snapshot(self.lower)
        d.pack()
        self.assertTrue(d.is_packed("gros.csv"))
        self.assertTrue(d.is_packed("droits"))
        self.assertTrue(d.is_packed("creux"))
        self.assertFalse(d.is_packed("vide"))
        tree.assert_same(self, before, tree.snapshot(self.lower),
                         what="after pack")
        d.restart()
        tree.assert_same(self, before, tree.snapshot(self.lower),
                         what="after a remount")
        d.unpack(".")
        self.assertFalse(d.is_packed("gros.csv"))
        # Unpacking writes: the change time is of then.
        tree.assert_same(self, before, tree.snapshot(self.lower),
                         ("ctime",), "after unpack")

    def assert_as_lower(self, d, *names):
        """By stat alone: an open may ask the daemon anew."""
        what = ("size", "mtime", "ctime", "blocks")
        for name in names:
            self.assertEqual(
                tree.describe(os.path.join(d.below(), name), what),
                tree.describe(self.path(name), what), name)

    def packed_and_seen(self, d, *names):
        d.pack(*names)
        for name in names:
            self.assertTrue(d.is_packed(name), name)
            os.lstat(self.path(name))

    def test_unpacking_shows_at_once(self):
        """The kernel keeps attributes for a day, unless it is told."""
        with open(self.path("reserve"), "wb") as f:
            f.write(sample.text(3, 50000))
            sys_calls.fallocate(f.fileno(), 0, 1 << 20, 1 << 20)
            f.truncate(4 << 20)
        d = self.mounted()
        names = ("gros.csv", "creux", "note 1.txt", "reserve")
        self.packed_and_seen(d, *names)
        reserved = os.lstat(self.path("reserve")).st_blocks
        d.unpack(*names)
        self.assert_as_lower(d, *names)
        # Room that was only reserved is a hole now.
        self.assertLess(os.lstat(self.path("reserve")).st_blocks, reserved)
        self.packed_and_seen(d, *names)
        os.lstat(self.lower)
        d.unpack_all()
        self.assert_as_lower(d, *names)
        self.assertEqual(os.lstat(d.below()).st_ctime_ns,
                         os.lstat(self.lower).st_ctime_ns)

    def test_unpacking_beside_who_has_it_open(self):
        """What the kernel has of the data stays true, and so a store."""
        d = self.mounted()
        names = ("gros.csv", "photo.jpg")
        self.packed_and_seen(d, *names)
        reader = os.open(self.path("photo.jpg"), os.O_RDONLY)
        self.addCleanup(os.close, reader)
        want = sample.noise("photo", 700000)
        self.assertEqual(want[:5000], os.pread(reader, 5000, 0))
        with open(self.path("gros.csv"), "r+b") as writer, \
                mmap.mmap(writer.fileno(), 3 << 20) as mapped:
            mapped[8192:8196] = b"neuf"
            d.unpack(*names)
            self.assertFalse(d.is_packed("gros.csv"))
            self.assert_as_lower(d, "photo.jpg")
            self.assertEqual(os.lstat(self.path("photo.jpg")).st_ctime_ns,
                             os.fstat(reader).st_ctime_ns)
            self.assertEqual(want, os.pread(reader, 1 << 20, 0))
            self.assertEqual(b"neuf", mapped[8192:8196])
            mapped.flush()
        self.assert_as_lower(d, *names)
        text = bytearray(sample.text("csv", 3 << 20))
        text[8192:8196] = b"neuf"
        self.assertEqual(text, tree.read_all(self.path("gros.csv")))

    def test_opened_for_writing_only_shows_at_once(self):
        d = self.mounted()
        self.packed_and_seen(d, "gros.csv")
        os.close(os.open(self.path("gros.csv"), os.O_WRONLY))
        self.assertFalse(d.is_packed("gros.csv"))
        self.assert_as_lower(d, "gros.csv")

    def test_packing_frees_blocks(self):
        d = self.mounted()
        lower = os.path.join(d.below(), "gros.csv")
        before = os.lstat(lower)
        d.pack("gros.csv")
        after = os.lstat(lower)
        self.assertEqual(0, after.st_blocks)
        self.assertEqual((before.st_size, before.st_mtime_ns, before.st_ino),
                         (after.st_size, after.st_mtime_ns, after.st_ino))

    def test_unpack_all_gives_the_lower_back_as_it_was(self):
        os.chmod(self.lower, 0o2775)
        os.chown(self.lower, 1234, 2000)
        os.setxattr(self.lower, "system.posix_acl_access", sample.ACL)
        os.utime(self.lower, ns=(sample.TIME_NS, sample.TIME_NS))
        before = tree.snapshot(self.lower)
        d = self.mounted()
        d.pack()
        for _ in tree.snapshot(self.lower):
            pass
        d.unpack_all()
        d.stop()
        tree.assert_same(self, before, tree.snapshot(self.lower),
                         ("ctime",))

    def test_a_sealed_root_shows_its_owner(self):
        os.chmod(self.lower, 0o2775)
        os.chown(self.lower, 1234, 2000)
        os.setxattr(self.lower, "system.posix_acl_access", sample.ACL)
        want = tree.describe(self.lower, ("mode", "uid", "gid", "xattrs"))
        what = tuple(want)
        d = self.mounted()
        d.pack()
        below = os.stat(d.below())
        self.assertEqual((0o700, 0, 0), (stat.S_IMODE(below.st_mode),
                                         below.st_uid, below.st_gid))
        self.assertEqual(want, tree.describe(self.lower, what))
        # Agents come in by the rights shown.
        sys_calls.as_agent(1234, 1234, [], os.listdir, self.lower)
        # Changes through the mount are kept, and not let through.
        os.chmod(self.lower, 0o2750)
        os.chown(self.lower, 4321, -1)
        want = tree.describe(self.lower, what)
        self.assertEqual(4321, want["uid"])
        self.assertEqual(0o700, stat.S_IMODE(os.stat(d.below()).st_mode))
        d.stop()
        below = os.stat(self.lower)
        self.assertEqual((0o700, 0, 0), (stat.S_IMODE(below.st_mode),
                                         below.st_uid, below.st_gid))
        d.start()
        self.assertEqual(want, tree.describe(self.lower, what))
        d.unpack_all()
        d.stop()
        self.assertEqual(want, tree.describe(self.lower, what))

    def test_looking_keeps_a_file_packed(self):
        d = self.mounted()
        d.pack()
        fd = os.open(self.path("gros.csv"), os.O_RDWR)
        os.pread(fd, 4096, 1000)
        os.fsync(fd)
        fcntl.flock(fd, fcntl.LOCK_EX)
        os.close(fd)
        tree.snapshot(self.lower)
        self.assertTrue(d.is_packed("gros.csv"))

    def test_times_and_rights_keep_a_file_packed(self):
        d = self.mounted()
        d.pack("gros.csv")
        path = self.path("gros.csv")
        os.utime(path, ns=(1, 1_500_000_000_000_000_001))
        os.chmod(path, 0o600)
        os.chown(path, 7, 8)
        os.setxattr(path, "user.x", b"y")
        os.rename(path, self.path("autre.csv"))
        self.assertTrue(d.is_packed("autre.csv"))
        want = tree.describe(self.path("autre.csv"))
        self.assertEqual(1_500_000_000_000_000_001, want["mtime"])
        d.restart()
        self.assertEqual(want, tree.describe(self.path("autre.csv")))

    def test_copy_up_keeps_inode_links_and_attributes(self):
        d = self.mounted()
        what = ("mode", "uid", "gid", "xattrs", "nlink", "type")
        want = tree.describe(self.path("droits"), what)
        ino = os.stat(self.path("droits")).st_ino
        d.pack("droits", "note 1.txt")
        for name in ("droits", "note 1.txt"):
            with open(self.path(name), "ab") as f:
                f.write(b"!")
            self.assertFalse(d.is_packed(name))
        self.assertEqual(want, tree.describe(self.path("droits"), what))
        self.assertEqual(ino, os.stat(self.path("droits")).st_ino)
        self.assertEqual(sample.text(1, 16000) + b"!",
                         tree.read_all(self.path("Ville", "lien dur")))

    def test_a_write_is_of_now(self):
        d = self.mounted()
        d.pack("gros.csv")
        with open(self.path("gros.csv"), "r+b") as f:
            f.write(b"x")
        st = os.stat(self.path("gros.csv"))
        sample.put(self.path("now"), b"x")
        now = os.stat(self.path("now")).st_mtime
        self.assertLess(abs(st.st_mtime - now), 5)
        self.assertLess(abs(st.st_ctime - now), 5)

    def test_truncate_to_zero_restores_nothing(self):
        d = self.mounted()
        d.pack("gros.csv", "photo.jpg")
        os.truncate(self.path("gros.csv"), 0)
        os.close(os.open(self.path("photo.jpg"), os.O_WRONLY | os.O_TRUNC))
        for name in ("gros.csv", "photo.jpg"):
            self.assertFalse(d.is_packed(name))
            self.assertEqual(b"", tree.read_all(self.path(name)))

    def test_same_bytes_are_stored_once(self):
        for i in range(5):
            sample.put(self.path("copie %d.jpg" % i),
                       sample.noise("photo", 700000))
        d = self.mounted()
        d.pack()
        packs = env.run("du", "-sb", os.path.join(d.below(), ".sobre",
                                                  "packs")).stdout
        # Of 8.5 MB, one photograph is what doesn't shrink.
        self.assertLess(int(packs.split()[0]), 2_500_000)
        self.assertEqual(6, d.explain("photo.jpg")["same_content"])

    def test_a_file_in_use_is_left_alone(self):
        d = self.mounted()
        fd = os.open(self.path("gros.csv"), os.O_RDONLY)
        said = d.pack("gros.csv", check=False)
        self.assertFalse(d.is_packed("gros.csv"), said)
        os.close(fd)
        d.pack("gros.csv")
        self.assertTrue(d.is_packed("gros.csv"))

    def test_not_packed_without_now_while_young(self):
        sample.put(self.path("neuf"), sample.text(1, 50000))
        d = self.mounted()
        d.run("pack", self.path("neuf"), check=False)
        self.assertFalse(d.is_packed("neuf"))

    def test_what_is_never_packed(self):
        sample.put(self.path("suid"), sample.text(1, 50000))
        os.chmod(self.path("suid"), 0o4755)
        sample.put(self.path("fige"), sample.text(2, 50000))
        env.run("chattr", "+i", self.path("fige"))
        self.addCleanup(env.run, "chattr", "-i", self.path("fige"),
                        check=False)
        sample.put(self.path("ajout"), sample.text(2, 50000))
        env.run("chattr", "+a", self.path("ajout"))
        with open(self.path("reserve"), "wb") as f:
            f.write(sample.text(3, 50000))
            sys_calls.fallocate(f.fileno(), sys_calls.FALLOC_KEEP_SIZE, 0,
                                1 << 20)
        d = self.mounted()
        d.pack(check=False)
        for name in ("suid", "fige", "ajout", "reserve", "tube", "zero",
                     "vide"):
            self.assertFalse(d.is_packed(name), name)
        d.stop()
        env.run("chattr", "-i", self.path("fige"))

    def test_a_file_changed_while_packed_keeps_the_change(self):
        """A writer that never rests, beside a packer that never rests."""
        d = self.mounted()
        stop = threading.Event()

        def packer():
            while not stop.is_set():
                d.pack("gros.csv", "note 5.txt", check=False)

        thread = threading.Thread(target=packer)
        thread.start()
        try:
            for i in range(400):
                name = self.path("gros.csv" if i % 2 else "note 5.txt")
                flags = (os.O_RDWR, os.O_WRONLY)[i // 2 % 2]
                fd = os.open(name, flags)
                os.pwrite(fd, b"%08d" % i, 4096 * (i % 10))
                os.close(fd)
                fd = os.open(name, os.O_RDONLY)
                got = os.pread(fd, 8, 4096 * (i % 10))
                os.close(fd)
                self.assertEqual(b"%08d" % i, got)
        finally:
            stop.set()
            thread.join()
        want = {n: tree.read_all(self.path(n))
                for n in ("gros.csv", "note 5.txt")}
        d.pack("gros.csv", "note 5.txt")
        d.restart()
        for name, data in want.items():
            self.assertTrue(d.is_packed(name))
            self.assertEqual(data, tree.read_all(self.path(name)))

    def test_gc_frees_what_nobody_uses(self):
        d = self.mounted()
        packs = os.path.join(d.below(), ".sobre", "packs")
        d.pack()
        before = tree.snapshot(self.lower)
        os.unlink(self.path("photo.jpg"))
        os.truncate(self.path("gros.csv"), 0)
        del before[b"photo.jpg"], before[b"gros.csv"], before[b""]
        size = lambda: int(env.run("du", "-sb", packs).stdout.split()[0])
        full = size()
        for _ in range(3):  # condemn, then unlink
            d.gc()
        self.assertLess(size(), full - 500_000)
        now = tree.snapshot(self.lower)
        del now[b"gros.csv"], now[b""]
        tree.assert_same(self, before, now)
        d.run("scrub", self.lower)
        d.run("fsck", self.lower)

    def test_pack_again_after_gc_and_unpack(self):
        d = self.mounted()
        before = tree.snapshot(self.lower)
        for _ in range(3):
            d.pack()
            d.gc()
            d.unpack(".")
            d.gc()
        d.pack()
        tree.assert_same(self, before, tree.snapshot(self.lower),
                         ("ctime",))

    def test_fsck_rebuild_needs_only_lower_and_packs(self):
        d = self.mounted()
        d.pack()
        before = tree.snapshot(self.lower)
        d.stop()
        for name in ("catalog.db", "catalog.db-wal", "catalog.db-shm"):
            path = self.path(".sobre", name)
            if os.path.exists(path):
                os.unlink(path)
        d.run("fsck", "--rebuild", self.lower)
        d.start()
        d.settled()
        # The change times from before packing were in the catalog.
        tree.assert_same(self, before, tree.snapshot(self.lower),
                         ("ctime",))
        d.run("fsck", self.lower)

    def test_explain_and_status_tell_the_state(self):
        d = self.mounted()
        self.assertEqual("plain", d.explain("gros.csv")["state"])
        d.pack()
        self.assertEqual("packed", d.explain("gros.csv")["state"])
        status = d.status()
        self.assertIn("passthrough", str(status))
        text = d.run("status", self.lower).stdout
        self.assertIn("passthrough", text.lower())

    def test_read_only_mount_writes_nothing(self):
        d = self.mounted()
        d.pack()
        before = tree.snapshot(self.lower)
        d.stop()
        state = tree.snapshot(self.lower, skip=())
        d = drive.Drive(self.lower, options=("--read-only",)).start()
        self.addCleanup(d.clean)
        self.assertEqual("EROFS", sys_calls.error_of(
            open, self.path("gros.csv"), "r+b"))
        tree.assert_same(self, before, tree.snapshot(self.lower))
        d.stop()
        tree.assert_same(self, state, tree.snapshot(self.lower, skip=()))

    def test_serves_at_another_mountpoint(self):
        at = env.tmp("ailleurs")
        d = drive.Drive(self.lower, mountpoint=at).start()
        self.addCleanup(d.clean)
        self.assertEqual(sample.text("csv", 3 << 20),
                         tree.read_all(os.path.join(at, "gros.csv")))
        d.stop()


if __name__ == "__main__":
    env.main()
