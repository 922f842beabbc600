# SPDX-License-Identifier: EUPL-1.2
"""What came out, as text: a summary and every difference."""
import collections
import datetime
import os
import subprocess
import sys

import env

STATUSES = ("pass", "partly", "fail", "notrun", "timeout", "absent")


def said(*argv, **kw):
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, **kw)
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else "?"


class Table:
    def __init__(self, args, suite, results):
        self.args = args
        self.suite = suite
        self.results = results
        self.names = sorted(set().union(*results.values()))

    def of(self, side, name):
        return self.results[side].get(name, ("absent", ""))

    def head(self):
        checkout = self.args.checkout
        yield "suite     %s %s" % (self.suite.NAME, said(
            "git", "-c", "safe.directory=*", "-C", checkout, "log", "-1",
            "--format=%h %cs"))
        yield "made by   tests/conformance/run %s CHECKOUT%s" % (
            self.suite.NAME, self.options())
        yield "date      %s" % datetime.date.today()
        yield "kernel    Linux %s" % os.uname().release
        yield "sobre     %s" % said(env.SOBRE, "--version")
        yield "below     ext4 on a loop device, %d GiB, %s" % (
            self.args.size, said("mkfs.ext4", "-V"))

    def options(self):
        out = ""
        if self.args.groups:
            out += " --groups " + self.args.groups
        if self.args.tests:
            out += " --tests " + " ".join(self.args.tests)
        if self.args.leave_out:
            out += " --leave-out " + " ".join(self.args.leave_out)
        for option in self.args.mount_option:
            out += " --mount-option=" + option
        return out

    def counts(self):
        sides = list(self.results)
        yield "%-10s" % self.suite.UNIT + "".join(
            "%10s" % side for side in sides)
        for status in STATUSES:
            n = [sum(self.of(side, name)[0] == status for name in self.names)
                 for side in sides]
            if any(n):
                yield "%-10s" % status + "".join("%10d" % x for x in n)

    def pairs(self):
        for name in self.names:
            yield name, [self.of(side, name) for side in self.results]

    def differences(self):
        """Those that ran on both; then what the mount could not be asked."""
        lines, left_out = [], collections.Counter()
        for name, sides in self.pairs():
            statuses = [status for status, _ in sides]
            if len(set(statuses)) == 1:
                continue
            if statuses == ["pass", "notrun"]:
                left_out[sides[1][1]] += 1
                continue
            lines.append("%-24s %-8s %-8s %s" % (
                name, *statuses, "; ".join(why for _, why in sides if why)))
        yield "differences: %d" % len(lines)
        yield from ("  " + line.rstrip() for line in lines)
        if left_out:
            yield ""
            yield "passed natively, not run on the mount: %d, for" % sum(
                left_out.values())
            for why, n in sorted(left_out.items(),
                                 key=lambda item: (-item[1], item[0])):
                yield "  %4d  %s" % (n, why)

    def both_fail(self):
        names = [name for name, sides in self.pairs()
                 if {status for status, _ in sides} <= {"fail", "timeout"}]
        if names:
            yield "fail on both: " + " ".join(names)

    def summary(self):
        yield from self.head()
        yield ""
        yield from self.counts()
        if len(self.results) == 2:
            yield ""
            yield from self.differences()
            yield ""
            yield from self.both_fail()

    def full(self):
        yield from self.head()
        yield ""
        for name, sides in self.pairs():
            yield "%-24s %s" % (name, "  ".join(
                "%-8s" % status for status, _ in sides)) + "  " + "; ".join(
                    why for _, why in sides if why)

    @staticmethod
    def write(path, lines):
        text = "\n".join(line.rstrip() for line in lines) + "\n"
        if not path:
            sys.stdout.write(text)
            return
        with open(path, "w") as f:
            f.write(text)
