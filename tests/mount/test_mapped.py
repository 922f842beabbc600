# SPDX-License-Identifier: EUPL-1.2
"""What is stored through a mapping, and hasn't been written back yet."""
import mmap
import os

import case
import env

HOLE = 1 << 20


class Mapped(case.DriveCase):
    def sparse(self, d):
        """Data, a hole, data."""
        path = self.path("sparse")
        with open(path, "wb") as f:
            f.write(b"a" * 4096)
            f.seek(HOLE)
            f.write(b"z" * 4096)
        return path

    def stored_in_hole(self, path):
        """A copy that leaves out the holes would lose what isn't found."""
        with open(path, "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
            m[300_000:300_004] = b"here"
            data = os.lseek(f.fileno(), 200_000, os.SEEK_DATA)
            hole = os.lseek(f.fileno(), 300_002, os.SEEK_HOLE)
        self.assertLessEqual(data, 300_000)
        self.assertGreater(hole, 300_002)

    def test_a_store_in_a_hole_is_data_at_once(self):
        d = self.mounted()
        path = self.sparse(d)
        self.stored_in_hole(path)

    def test_and_in_a_packed_file(self):
        d = self.mounted()
        path = self.sparse(d)
        d.pack("sparse")
        self.assertTrue(d.is_packed("sparse"))
        self.stored_in_hole(path)
        with open(path, "rb") as f:
            self.assertEqual(f.read()[300_000:300_004], b"here")

    def test_and_without_passthrough(self):
        d = self.mounted(options=("--no-passthrough",))
        self.stored_in_hole(self.sparse(d))

    def test_holes_of_a_packed_file_open_for_reading_stay(self):
        d = self.mounted()
        path = self.sparse(d)
        d.pack("sparse")
        with open(path, "rb") as f:
            self.assertEqual(os.lseek(f.fileno(), 4096, os.SEEK_DATA), HOLE)
            self.assertEqual(os.lseek(f.fileno(), 0, os.SEEK_HOLE), 4096)


if __name__ == "__main__":
    env.main()
