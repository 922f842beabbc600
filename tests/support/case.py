# SPDX-License-Identifier: EUPL-1.2
"""What most tests of a mount begin with."""
import os
import unittest

import drive
import env
import sample


class DriveCase(unittest.TestCase):
    """A lower of its own with one file of each kind, on ext4."""

    IMAGE_MIB = 384

    def setUp(self):
        self.image = env.Image("ext4", self.IMAGE_MIB)
        self.addCleanup(self.image.umount)
        self.lower = self.image.mkdir("drive")
        sample.everything(self.lower)

    def mounted(self, **kw):
        d = drive.Drive(self.lower, **kw).start()
        self.addCleanup(d.clean)
        return d

    def path(self, *names):
        return os.path.join(self.lower, *names)
