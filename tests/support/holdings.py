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

    def shares(self):
        """Of packs, exactly: {inode number: its own share}, and {the same:
        bytes of chunks that nobody else holds}."""
        stored, recipes = packs.read(os.path.join(self.top, ".sobre/packs"))
        users = collections.defaultdict(collections.Counter)
        holders = collections.defaultdict(set)
        packed = {ino: (of, collections.Counter(recipes[content]))
                  for ino, (_, of, content) in self.inodes().items()
                  if content}
        for ino, (of, uses) in packed.items():
            for chunk, n in uses.items():
                holders[chunk].add(ino)
                for name in of:
                    users[chunk][name] += n
        own = {ino: sum(Fraction(stored[chunk] * n,
                                 len(users[chunk]) * users[chunk][name])
                        for chunk, n in uses.items() for name in of)
               for ino, (of, uses) in packed.items()}
        alone = {ino: sum(stored[chunk] for chunk in uses
                          if holders[chunk] == {ino})
                 for ino, (_, uses) in packed.items()}
        return own, alone

    def below(self, rel, shares):
        """What du should say of a directory; each inode once."""
        own, alone = shares
        seen, inodes = set(), self.top + rel
        sums = collections.Counter()
        paths = [inodes] + [os.path.join(top, name)
                            for top, dirs, files in os.walk(inodes)
                            for name in dirs + files
                            if ".sobre" not in (top[len(self.top):] + "/"
                                                + name).split("/")]
        for path in paths:
            st = os.lstat(path)
            if st.st_ino in seen:
                continue
            seen.add(st.st_ino)
            sums["hot_bytes"] += st.st_blocks * 512
            sums["exclusive_bytes"] += \
                st.st_blocks * 512 + alone.get(st.st_ino, 0)
            sums["packed_bytes"] += own.get(st.st_ino, 0)
            if stat.S_ISREG(st.st_mode):
                sums["files"] += 1
                sums["packed_files"] += st.st_ino in own
                sums["logical_bytes"] += st.st_size
        sums["packed_bytes"] = int(sums["packed_bytes"] + Fraction(1, 2))
        return dict(sums)


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
