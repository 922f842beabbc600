# SPDX-License-Identifier: EUPL-1.2
"""pjdfstest, C and shell: one result for each of its assertions."""
import glob
import os
import re

import places

NAME = "pjdfstest"
UNIT = "assertions"
LINE = re.compile(r"^(not )?ok (\d+)(?: - (.*))?$", re.M)
RANDOM = re.compile(r"pjdfstest_[0-9a-f]+|[0-9a-f]{32,}")


def missing(checkout):
    if not os.access(os.path.join(checkout, "pjdfstest"), os.X_OK):
        return "no pjdfstest program in %s" % checkout
    return None


def tests_of(args):
    top = os.path.join(args.checkout, "tests")
    found = sorted(os.path.relpath(p, top)
                   for p in glob.glob(os.path.join(top, "*", "*.t")))
    return [t for t in found
            if (not args.tests or any(t.startswith(w) for w in args.tests))
            and t not in args.leave_out]


def run(side, args):
    # What it expects it chooses by the file system's name: the same on both.
    places.over(os.path.join(args.checkout, "tests", "conf"),
                "os=`uname`\nGREP=grep\nfs=EXT4\n")
    place = places.Directory(side, args.size, args.mount_option)
    results = {}
    for test in tests_of(args):
        status, out = places.run_test(
            ["sh", os.path.join(args.checkout, "tests", test)], place.dir,
            args.timeout)
        if status is None:
            results[test] = ("timeout", "")
        for bad, number, why in LINE.findall(out):
            results["%s %s" % (test, number)] = (
                "fail" if bad else "pass", RANDOM.sub("*", why))
    place.close()
    return results
