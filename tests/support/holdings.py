# SPDX-License-Identifier: EUPL-1.2
"""Who keeps how many bytes on a lower directory, and for how long: worked out
from the inodes and the packs, with nothing of the program."""
import collections
import os
import stat
from fractions import Fraction

import packs

STUB = "trusted.sobre.content"


def content_of(path):
    try:
        return os.getxattr(path, STUB, follow_symlinks=False)[16:32]
    except OSError:
        return None


class Lower:
    """`departments`: (id, path) in their order; the rest is "other"."""

    def __init__(self, top, departments):
        self.top = top
        self.departments = departments

    def department(self, rel):
        for name, path in self.departments:
            if rel == path or rel.startswith(path + "/"):
                return name
        return "other"

    def inodes(self):
        """{ino: (stat, departments, content)}"""
        found = {}

        def note(rel):
            path = self.top + rel
            st = os.lstat(path)
            _, of, content = found.setdefault(
                st.st_ino, (st, set(), content_of(path)))
            of.add(self.department(rel))
        note("")
        for top, dirs, files in os.walk(self.top):
            if top == self.top and ".sobre" in dirs:
                dirs.remove(".sobre")
            for name in dirs + files:
                note(os.path.join(top, name)[len(self.top):])
        return found

    def held(self):
        """Bytes by (set of departments, tier)."""
        sums = collections.Counter()
        users = collections.defaultdict(set)
        stored, recipes = packs.read(os.path.join(self.top, ".sobre/packs"))
        for st, of, content in self.inodes().values():
            of = frozenset(of)
            sums[of, "hot"] += st.st_blocks * 512
            if stat.S_ISREG(st.st_mode):
                sums[of, "logical"] += st.st_size
            if content:
                for chunk in recipes[content]:
                    users[chunk] |= of
        for chunk, of in users.items():
            sums[frozenset(of), "packed"] += stored[chunk]
        return sums


class Integral:
    """Byte-seconds: what was held from each look on, until the next."""

    def __init__(self):
        self.sums = collections.Counter()
        self.last = None

    def look(self, at_s, held):
        self.until(at_s)
        self.last = (at_s, held)

    def until(self, at_s):
        if self.last:
            since, held = self.last
            for key, held_bytes in held.items():
                self.sums[key] += held_bytes * (at_s - since)
            self.last = (at_s, held)

    def own(self, name):
        return sum(v for (of, tier), v in self.sums.items()
                   if of == {name} and tier != "logical")

    def shared(self, name):
        return sum(Fraction(v, len(of)) for (of, tier), v in self.sums.items()
                   if name in of and len(of) > 1 and tier != "logical")

    def logical(self, name):
        return sum(Fraction(v, len(of)) for (of, tier), v in self.sums.items()
                   if name in of and tier == "logical")
