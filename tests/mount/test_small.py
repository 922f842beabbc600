#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Small files cost what their bytes cost, and those whose inode would free
nothing stay plain; what that is in bytes: tests/bench/small.py."""
import os
import unittest

import drive
import env
import sample

FILES = 600
SIZE = 500
ALL = 450  # bytes of the packs and the catalog a file, beside its own

ACL = "system.posix_acl_access", lambda n: sample.ACL
# as Samba writes it, with the time of creation
DOSATTRIB = "user.DOSATTRIB", lambda n: b"\0\0\x05\0\x05" + bytes(
    47) + b"%04d" % n
EXT4 = ("-b", "4096", "-N", "20000", "-I")


class Small(unittest.TestCase):
    size = SIZE

    def drive_of(self, fs, mkfs=(), *xattrs):
        image = env.Image(fs, 384, mkfs=mkfs)
        self.addCleanup(image.umount)
        self.lower = image.mkdir("drive")
        for n in range(FILES):
            sample.put(self.file(n), sample.text(n, self.size))
            for name, value in xattrs:
                os.setxattr(self.file(n), name, value(n))
        self.d = drive.Drive(self.lower).start()
        self.addCleanup(self.d.clean)
        self.d.settled()

    def file(self, n):
        return os.path.join(self.lower, "f%d" % n)

    def blocks(self):
        return [os.lstat(os.path.join(self.d.below(), "f%d" % n)).st_blocks
                for n in range(FILES)]

    def all_read(self):
        for n in range(FILES):
            with open(self.file(n), "rb") as f:
                self.assertEqual(sample.text(n, self.size), f.read())

    def are_packed(self):
        before = self.blocks()
        self.assertEqual(FILES, self.d.pack()["packed"])
        for was, now in zip(before, self.blocks()):
            self.assertLess(now, was)
        self.all_read()

    def cost_their_bytes(self):
        at = os.path.join(self.d.below(), ".sobre/catalog.db")
        before = os.stat(at).st_size
        self.are_packed()
        packs = self.d.status()["store"]["pack_bytes"]
        self.d.stop()
        catalog = os.stat(os.path.join(self.lower,
                                       ".sobre/catalog.db")).st_size - before
        self.assertLess((packs + catalog) // FILES, SIZE + ALL)

    def stay_plain(self):
        before = self.blocks()
        done = self.d.pack()
        self.assertEqual((0, FILES), (done["packed"],
                                      done["left_out"]["no_gain"]))
        self.assertEqual(before, self.blocks())
        self.all_read()
        # It shows after a few: the others are neither read nor stored.
        self.assertLess(self.d.status()["store"]["contents"], FILES // 2)
        self.assertEqual(0, self.d.pack()["stored_bytes"])

    def test_ext4(self):
        self.drive_of("ext4", EXT4 + ("256",))
        self.cost_their_bytes()

    def test_ext4_stub_beside_an_acl_in_a_small_inode(self):
        self.drive_of("ext4", EXT4 + ("256",), ACL)
        self.stay_plain()

    def test_ext4_stub_beside_a_dos_attribute_in_a_small_inode(self):
        self.drive_of("ext4", EXT4 + ("256",), DOSATTRIB)
        self.stay_plain()

    def test_ext4_files_that_share_the_block_of_their_acl(self):
        """st_blocks counts it for each; the stub would part them."""
        self.drive_of("ext4", EXT4 + ("256",), DOSATTRIB, ACL)
        self.assertEqual({16}, set(self.blocks()))
        self.stay_plain()

    def test_ext4_two_blocks_are_worth_one_of_attributes(self):
        self.size = 8000
        self.drive_of("ext4", EXT4 + ("256",), DOSATTRIB, ACL)
        self.are_packed()

    def test_ext4_bigger_inodes_hold_all(self):
        self.drive_of("ext4", EXT4 + ("512",), ACL, DOSATTRIB)
        self.are_packed()

    def test_xfs(self):
        self.drive_of("xfs", (), ACL, DOSATTRIB)
        self.are_packed()

    def test_btrfs_keeps_small_files_beside_their_inodes(self):
        self.drive_of("btrfs")
        self.stay_plain()
        self.assertEqual(0, self.d.status()["store"]["contents"])


if __name__ == "__main__":
    env.main(("mkfs.xfs", "mkfs.btrfs"))
