# SPDX-License-Identifier: EUPL-1.2
"""FUSE over io_uring, whose ring of a CPU has one thread: what takes long must
not hold up the others there."""
import multiprocessing
import os
import threading
import time

import case
import env

BIG = 128 << 20
AT_LEAST = 20
SECONDS = float(os.environ.get("SOBRE_SECONDS", 10))


def pin():
    """To one CPU, and so to one ring."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def sync_until(path, end, count):
    fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o644)
    while time.monotonic() < end:
        os.fdatasync(fd)
        count.value += 1


def look_until(path, end, count):
    while time.monotonic() < end:
        os.path.exists("%s-%d" % (path, count.value))
        count.value += 1


class Uring(case.DriveCase):
    IMAGE_MIB = 1024

    def setUp(self):
        super().setUp()
        self.drive = self.mounted()

    def others_while(self, call):
        """How many names are looked up from the call's start to its end."""
        done = threading.Event()
        begun = threading.Event()

        def run():
            begun.set()
            call()
            done.set()

        thread = threading.Thread(target=run)
        thread.start()
        begun.wait()
        count = 0
        while not done.is_set():
            self.assertFalse(os.path.exists(self.path("no-%d" % count)))
            count += not done.is_set()
        thread.join()
        return count

    def packed_file(self, name):
        with open(self.path(name), "wb") as f:
            f.write(os.urandom(BIG))
        self.drive.pack(name)
        self.assertTrue(self.drive.is_packed(name))
        return self.path(name)

    def test_a_first_write_holds_up_nobody(self):
        path = self.packed_file("big")
        pin()
        with open(path, "r+b", buffering=0) as f:
            self.assertGreater(self.others_while(lambda: f.write(b"x")),
                               AT_LEAST)

    def test_an_open_for_writing_holds_up_nobody(self):
        path = self.packed_file("big")
        pin()
        self.assertGreater(self.others_while(
            lambda: os.close(os.open(path, os.O_WRONLY))), AT_LEAST)

    def test_who_opens_what_is_copied_up_holds_up_nobody(self):
        path = self.packed_file("big")
        pin()
        writer = os.open(path, os.O_RDWR)

        def write_and_open():
            other = threading.Thread(target=os.pwrite,
                                     args=(writer, b"x", 0))
            other.start()
            os.close(os.open(path, os.O_RDONLY))
            other.join()

        self.assertGreater(self.others_while(write_and_open), AT_LEAST)
        os.close(writer)

    def test_answers_by_many_threads_are_all_there(self):
        """One that a ring loses leaves its caller waiting for ever, soon all
        of that CPU. Longer by hand: SOBRE_SECONDS=120."""
        end = time.monotonic() + SECONDS
        counts = [multiprocessing.Value("L", 0) for _ in range(8)]
        workers = [multiprocessing.Process(
            target=(sync_until, look_until)[n % 2], daemon=True,
            args=(self.path("worker-%d" % n), end, count))
            for n, count in enumerate(counts)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(max(0, end - time.monotonic()) + 60)
        stuck = [w for w in workers if w.is_alive()]
        for worker in stuck:
            worker.kill()
        self.assertEqual(len(stuck), 0, [c.value for c in counts])
        self.assertNotIn("ring", self.drive.said())

    def test_it_ends_cleanly_with_slow_requests_behind_it(self):
        path = self.packed_file("big")
        os.close(os.open(path, os.O_WRONLY))
        self.drive.stop()
        self.drive.start()
        with open(path, "rb") as f:
            self.assertEqual(len(f.read()), BIG)


if __name__ == "__main__":
    env.main()
