# SPDX-License-Identifier: EUPL-1.2
"""Where the daemon calls what can fail: the sites that a trace of
tests/support/fault.h names, and which of their calls shall fail."""
import collections
import errno
import os
import subprocess

import env

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
OURS = tuple(os.path.join(TOP, part) + "/"
             for part in ("fs", "policy", "tools"))

# What a call of each kind fails with.
ERRORS = {"write": (errno.EIO, errno.ENOSPC), "read": (errno.EIO,),
          "open": (errno.EMFILE, errno.EIO), "memory": (errno.ENOMEM,),
          "db": (errno.EIO, errno.ENOSPC), "dbmemory": (errno.ENOMEM,)}

Fault = collections.namedtuple("Fault", "kind name site at error where")


class Program:
    """sobre-fault's addresses, in words."""

    def __init__(self):
        self.known = {}

    def _ask(self, addresses):
        # An address that a call returns to is of the line after it.
        lines = subprocess.run(
            ["addr2line", "-f", "-e", env.SOBRE_FAULT] +
            ["%x" % (int(a, 16) - 1) for a in addresses],
            check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n")
        for i, address in enumerate(addresses):
            self.known[address] = lines[2 * i], lines[2 * i + 1]

    def learn(self, sites):
        new = sorted({a for site in sites for a in site.split(",")} -
                     set(self.known) - {""})
        for i in range(0, len(new), 500):
            self._ask(new[i:i + 500])

    def is_ours(self, site):
        """Called by sobre itself, not by a library linked into it."""
        _function, line = self.known.get(site.split(",")[0], ("", ""))
        return os.path.realpath(line).startswith(OURS)

    def words(self, site):
        return " < ".join(self.known[a][0] for a in site.split(",") if a)


def _by_number(calls):
    """Each call, with each error in turn."""
    errors = ERRORS["write"]
    return [Fault("write", name, "", n + 1, errors[n % len(errors)], "")
            for n, (name, _) in enumerate(calls)]


def _by_site(kind, calls):
    """The first call of each site, the last, one between."""
    program, errors = Program(), ERRORS[kind]
    counts = collections.Counter(calls)
    program.learn({site for _, site in counts})
    found = []
    for (name, site), n in sorted(counts.items()):
        if program.is_ours(site):
            found += [Fault(kind, name, site, at, errors[i % len(errors)],
                            program.words(site))
                      for i, at in enumerate(sorted({1, (n + 1) // 2, n}))]
    return found


def faults(kind, calls, every, seed):
    """One in `every` of those that are worth trying. Durable writes come in
    the same order each time; of the rest their sites are the same."""
    found = _by_number(calls) if kind == "write" else _by_site(kind, calls)
    return found[seed % every::every]
