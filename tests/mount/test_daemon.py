# SPDX-License-Identifier: EUPL-1.2
"""Mounting, unmounting, and what else may be in the way."""
import os
import signal
import subprocess
import time

import case
import drive
import env
import sample
import sys_calls
import tree


class Daemon(case.DriveCase):
    IMAGE_MIB = 256

    def holder(self, **kw):
        """Another program, asleep."""
        p = subprocess.Popen(["sleep", "600"], **kw,
                             preexec_fn=env.die_with_parent)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        return p

    def test_mount_in_the_background_returns_when_it_answers(self):
        d = drive.Drive(self.lower)
        self.addCleanup(d.clean)
        before = tree.snapshot(self.lower)
        d.run("mount", self.lower)
        self.assertTrue(d.mounted())
        tree.assert_same(self, before, tree.snapshot(self.lower))
        d.run("umount", self.lower)
        self.assertFalse(d.mounted())
        d.run("status", self.lower, check=False)

    def unmount_soon(self):
        """The daemon itself looks at its mount once, and is in the way."""
        end = time.monotonic() + 5
        while True:
            said = env.run("umount", self.lower, check=False)
            if "busy" not in said.stderr or time.monotonic() > end:
                break
        self.assertEqual(0, said.returncode, said.stderr)

    def test_an_unmount_right_after_the_mount_is_a_clean_stop(self):
        d = drive.Drive(self.lower)
        self.addCleanup(d.clean)
        for i in range(24):
            with open(d.log, "ab") as log:
                d.process = subprocess.Popen(
                    d.argv(), cwd="/", stdout=log, stderr=log,
                    preexec_fn=env.die_with_parent)
            while not d.mounted():
                self.assertTrue(d.alive(), d.said())
            time.sleep(i % 6 * 0.002)
            self.unmount_soon()
            self.assertEqual(0, d.wait(), d.said())
            self.assertFalse(os.listdir("/run/sobre"), d.said())

    def test_what_killed_daemons_left_in_run_is_removed(self):
        dead, living = self.mounted(), self.other("living")
        left = "/run/sobre/" + dead.uuid()
        dead.kill()
        third = self.other("third")
        self.assertTrue(os.path.ismount(left + "/lower"))
        third.stop()
        env.run("umount", left + "/lower")
        third.start()
        self.assertFalse(os.path.exists(left))
        self.assertEqual(sorted([living.uuid(), third.uuid()]),
                         sorted(os.listdir("/run/sobre")))
        living.status()
        third.stop()
        living.stop()
        self.assertFalse(os.listdir("/run/sobre"))

    def test_a_copy_of_a_drive_is_not_served_beside_it(self):
        d = self.mounted()
        d.stop()
        env.run("cp", "-a", self.lower, self.image.path("copy"))
        d.start()
        copy = drive.Drive(self.image.path("copy"))
        with self.assertRaises(drive.MountFailed) as caught:
            copy.start()
        self.assertIn("already uses", caught.exception.text)
        d.pack()
        self.assertTrue(d.is_packed("gros.csv"))
        d.stop()
        copy.start().stop()

    def other(self, name):
        d = drive.Drive(self.image.mkdir(name)).start()
        self.addCleanup(d.clean)
        return d

    def test_a_second_mount_is_refused(self):
        d = self.mounted()
        for again in ([self.lower], [self.lower, env.tmp("m")],
                      [d.below(), env.tmp("m")]):
            said = d.run("mount", *again, check=False)
            self.assertEqual(1, said.returncode, again)
            self.assertIn("drive", said.stderr)
        self.assertEqual(sample.text("csv", 3 << 20),
                         tree.read_all(self.path("gros.csv")))
        d.stop()

    def test_a_busy_unmount_names_the_holder(self):
        d = self.mounted()
        p = self.holder(cwd=self.lower)
        said = d.run("umount", self.lower, check=False)
        self.assertEqual(1, said.returncode)
        self.assertIn(str(p.pid), said.stderr + said.stdout)
        self.assertIn("sleep", said.stderr + said.stdout)
        self.assertTrue(d.mounted())
        self.assertTrue(d.alive())
        p.kill()
        p.wait()
        d.stop()

    def test_sigterm_unmounts(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            d = self.mounted()
            d.pack("gros.csv")
            before = tree.snapshot(self.lower)
            d.process.send_signal(number)
            self.assertEqual(0, d.wait(), d.said())
            self.assertFalse(d.mounted())
            d.clean()
            d = self.mounted()
            tree.assert_same(self, before, tree.snapshot(self.lower))
            d.stop()

    def test_sigterm_while_busy_names_the_holder_and_serves_on(self):
        d = self.mounted()
        fd = os.open(self.path("note 1.txt"), os.O_RDWR)
        d.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 10
        while str(os.getpid()) not in d.said() and time.monotonic() < end:
            time.sleep(0.05)
        self.assertIn("pid %d" % os.getpid(), d.said())
        os.pwrite(fd, b"encore", 0)
        os.close(fd)
        d.process.send_signal(signal.SIGTERM)
        self.assertEqual(0, d.wait(20), d.said())
        d.clean()
        self.assertEqual(b"encore",
                         tree.read_all(self.path("note 1.txt"))[:6])

    def test_mounts_again_after_kill(self):
        d = self.mounted()
        d.pack()
        before = tree.snapshot(self.lower)
        fd = os.open(self.path("note 1.txt"), os.O_RDONLY)
        time.sleep(1.5)  # the catalog is a second behind with change times
        d.process.kill()
        d.process.wait()
        os.close(fd)
        with self.assertRaises(OSError):
            os.listdir(self.lower)
        d.kill()
        d = self.mounted()
        tree.assert_same(self, before, tree.snapshot(self.lower))
        d.settled()
        d.run("fsck", self.lower)
        d.stop()

    def test_a_writer_that_outlived_the_daemon_is_not_packed(self):
        """In passthrough the kernel goes on writing without us."""
        d = self.mounted()
        fd = os.open(self.path("gros.csv"), os.O_RDWR)
        os.pwrite(fd, b"avant", 0)
        d.process.kill()
        d.process.wait()
        env.run("umount", "-l", self.lower)
        d.clean()
        d = self.mounted()
        want = b"avant"
        try:
            os.pwrite(fd, b"apres", 0)
            want = b"apres"
        except OSError:
            pass  # not in passthrough: it knows that it lost the daemon
        d.pack("gros.csv", check=False)
        if want == b"apres":
            self.assertFalse(d.is_packed("gros.csv"))
            os.pwrite(fd, b"enfin", 0)
            want = b"enfin"
        os.close(fd)
        for way in d.status()["ways"]:
            d.run("accept", self.lower, way["name"])
        d.pack("gros.csv")
        self.assertTrue(d.is_packed("gros.csv"))
        self.assertEqual(want, tree.read_all(self.path("gros.csv"))[:5])
        d.stop()

    def test_mounts_over_its_own_dead_mount(self):
        """What an administrator does after a crash: the same again."""
        d = self.mounted()
        d.pack("gros.csv")
        d.process.kill()
        d.process.wait()
        d.process = None
        d.run("mount", self.lower)
        self.assertEqual(sample.text("csv", 3 << 20),
                         tree.read_all(self.path("gros.csv")))
        d.run("umount", self.lower)

    def test_a_cwd_older_than_the_mount_stops_packing(self):
        p = self.holder(cwd=self.lower)
        d = self.mounted()
        said = d.pack("gros.csv", check=False)
        self.assertEqual(1, said.returncode)
        self.assertFalse(d.is_packed("gros.csv"))
        self.assertIn("sleep", said.stdout + said.stderr)
        self.assertIn(str(p.pid), d.run("status", self.lower).stdout)
        ways = d.status()["ways"]
        self.assertIn("sleep", str(ways))
        for way in ways:
            self.assertFalse(way["accepted"])
            d.run("accept", self.lower, way["name"])
        d.pack("gros.csv")
        self.assertTrue(d.is_packed("gros.csv"))
        d.stop()

    def test_packs_again_when_the_other_way_is_gone(self):
        p = self.holder(cwd=self.path("Ville"))
        d = self.mounted()
        d.pack("gros.csv", check=False)
        self.assertFalse(d.is_packed("gros.csv"))
        p.kill()
        p.wait()
        end = time.monotonic() + 30
        while not d.is_packed("gros.csv") and time.monotonic() < end:
            d.pack("gros.csv", check=False)
            time.sleep(0.2)
        self.assertTrue(d.is_packed("gros.csv"))
        d.stop()

    def test_an_open_file_older_than_the_mount_is_a_way(self):
        with open(self.path("gros.csv"), "r+b") as f:
            d = self.mounted()
            d.pack(check=False)
            self.assertFalse(d.is_packed("gros.csv"))
            f.seek(100)
            f.write(b"par l'ancien chemin")
        self.assertEqual(b"par l'ancien chemin",
                         tree.read_all(self.path("gros.csv"))[100:119])
        d.stop()

    def test_a_mapping_older_than_the_mount_is_a_way(self):
        import mmap
        with open(self.path("gros.csv"), "r+b") as f:
            m = mmap.mmap(f.fileno(), 0)
        d = self.mounted()
        d.pack(check=False)
        self.assertFalse(d.is_packed("gros.csv"))
        m[50:56] = b"carte!"
        m.close()
        d.stop()
        self.assertEqual(b"carte!", tree.read_all(self.path("gros.csv"))
                         [50:56])

    def test_a_bind_mount_of_the_lower_is_a_way(self):
        at = env.tmp("bind")
        env.run("mount", "--bind", self.lower, at)
        self.addCleanup(env.run, "umount", "-l", at, check=False)
        d = self.mounted()
        d.pack("gros.csv", check=False)
        self.assertFalse(d.is_packed("gros.csv"))
        self.assertIn(at, d.run("status", self.lower).stdout)
        d.stop()

    def bind(self, what):
        at = env.tmp("bind")
        env.run("mount", "--bind", what, at)
        return at

    def check_way(self, name):
        """The drive that says so, and packs nothing."""
        d = self.mounted()
        d.pack(check=False)
        self.assertFalse(d.is_packed("gros.csv"))
        ways = [w["name"] for w in d.status()["ways"]]
        self.assertTrue([w for w in ways if w.endswith(") " + name)], ways)
        return d

    def test_what_is_open_on_a_detached_bind_is_a_way(self):
        for part, name in (("", "gros.csv"), ("Ville", "Ville/Urbanisme")):
            at = self.bind(self.path(part))
            fd = os.open(os.path.join(at, os.path.relpath(name, part or ".")),
                         os.O_RDONLY)
            env.run("umount", "-l", at)
            d = self.check_way("fd %d %s" % (fd, self.path(name)))
            os.close(fd)
            d.stop()
        d.start()
        d.pack()
        self.assertTrue(d.is_packed("gros.csv"))
        d.stop()

    def test_a_mapping_or_a_cwd_on_a_detached_bind_is_a_way(self):
        import mmap
        at = self.bind(self.lower)
        with open(os.path.join(at, "gros.csv"), "rb") as f:
            m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
        env.run("umount", "-l", at)
        d = self.check_way("map " + self.path("gros.csv"))
        m.close()
        d.stop()
        at = self.bind(self.path("Ville"))
        p = self.holder(cwd=at)
        env.run("umount", "-l", at)
        d = self.check_way("cwd " + self.path("Ville"))
        p.kill()
        p.wait()
        d.pack()
        self.assertTrue(d.is_packed("gros.csv"))
        d.stop()

    def test_a_detached_bind_of_something_else_is_none(self):
        at = self.bind(self.image.mkdir("beside"))
        fd = os.open(os.path.join(at, "gros.csv"), os.O_RDWR | os.O_CREAT)
        self.addCleanup(os.close, fd)
        here = os.open(at, os.O_RDONLY)
        self.addCleanup(os.close, here)
        env.run("umount", "-l", at)
        d = self.mounted()
        d.pack()
        self.assertTrue(d.is_packed("gros.csv"))
        d.stop()

    def test_a_submount_is_listed_and_refused(self):
        below = self.path("Ville")
        env.run("mount", "-t", "tmpfs", "none", below)
        self.addCleanup(env.run, "umount", "-l", below, check=False)
        with self.assertRaises(drive.MountFailed) as caught:
            self.mounted()
        self.assertEqual(1, caught.exception.status)
        self.assertIn("Ville", caught.exception.text)

    def test_without_the_mount_no_agent_reads_a_stub(self):
        os.chmod(self.lower, 0o755)
        d = self.mounted()
        d.pack()
        d.stop()
        self.assertEqual("EACCES", sys_calls.as_agent(
            1234, 1234, [], sys_calls.error_of, open,
            self.path("gros.csv"), "rb"))

    def test_a_write_just_before_unmount_is_there(self):
        d = self.mounted()
        d.pack()
        for i in range(20):
            with open(self.path("note %d.txt" % (i % 6)), "ab") as f:
                f.write(b"%d" % i)
        want = {n: tree.read_all(self.path("note %d.txt" % n))
                for n in range(6)}
        d.stop()
        for n, data in want.items():
            self.assertEqual(data, tree.read_all(self.path("note %d.txt" % n)))

    def test_usage_errors_exit_2(self):
        for args in ((), ("frob",), ("mount",), ("mount", "--frob", "/"),
                     ("pack",), ("explain",)):
            done = env.run(env.SOBRE, *args, check=False)
            self.assertEqual(2, done.returncode, args)
            self.assertNotEqual("", done.stderr, args)


if __name__ == "__main__":
    env.main()
