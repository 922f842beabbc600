# SPDX-License-Identifier: EUPL-1.2
"""The same steps on ext4, on the mount, and on the mount with everything
packed in between: the results and the trees must be the same."""
import os
import unittest

import drive
import env
import tree


class Place:
    """Where a scenario works, and what happens between its steps."""

    def __init__(self, path, between=lambda: None):
        self.dir = path
        self.between = between

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def run(self, *argv, **kw):
        return env.run(*argv, cwd=self.dir, **kw).stdout


class Case(unittest.TestCase):
    """One image and one drive for all scenarios of a class."""

    size_mib = 512
    mount_options = ()

    @classmethod
    def setUpClass(cls):
        cls.image = env.Image("ext4", cls.size_mib)
        cls.native = cls.image.mkdir("native")
        cls.drive = drive.Drive(cls.image.mkdir("drive"),
                                options=cls.mount_options)
        cls.drive.start()

    @classmethod
    def tearDownClass(cls):
        cls.drive.__exit__(None, None, None)
        cls.image.umount()

    def same(self, scenario, ignore=()):
        """Runs `scenario(place)` three times and compares."""
        name = scenario.__name__
        places = [Place(os.path.join(self.native, name)),
                  Place(os.path.join(self.drive.dir, name))]
        packing = name + "+pack"
        places.append(Place(os.path.join(self.drive.dir, packing),
                            lambda: self.drive.pack(packing)))
        want = None
        for place in places:
            os.mkdir(place.dir)
            os.chmod(place.dir, 0o777)
            got = (scenario(place),
                   tree.snapshot(place.dir, tree.SAME_STEPS),
                   tree.linked(place.dir))
            if want is None:
                want = got
                continue
            self.assertEqual(want[0], got[0], place.dir)
            tree.assert_same(self, want[1], got[1], ignore, place.dir)
            self.assertEqual(want[2], got[2], place.dir)
        self.drive.settled()
