# SPDX-License-Identifier: EUPL-1.2
"""Programs that share a file between processes, by locks or by mappings, do
on the mount what they do on ext4."""
import fcntl
import mailbox
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import unittest

import env
import lockstep
import sample
import tree

MAILS, WRITERS = 15, 3

# Each mail is added as mail programs do: dot lock, fcntl lock, append.
_DELIVER = """
import email.message, fcntl, mailbox, sys, time
path, who, n, how = sys.argv[1:]
box = mailbox.mbox(path, create=False)
for i in range(int(n)):
    m = email.message.EmailMessage()
    m["Subject"] = "%s %d" % (who, i)
    m["Message-ID"] = "<%s.%d@mairie>" % (who, i)
    m.set_unixfrom("From %s Thu Jan  1 00:00:00 2015" % who)
    m.set_content("Bonjour, " * 50 * (i + 1))
    while how == "mailbox":
        try:
            box.lock()
            break
        except mailbox.ExternalClashError:
            time.sleep(0.002)
    else:
        f = open(path, "ab")
        fcntl.flock(f, fcntl.LOCK_EX)
    box.add(m)
    box.flush()
    if how == "mailbox":
        box.unlock()
    else:
        f.close()
"""


def _subjects(path):
    box = mailbox.mbox(path, create=False)
    found = sorted(m["subject"] for m in box)
    bodies = sorted(len(m.get_payload()) for m in box)
    box.close()
    return found, bodies


def _mbox(p, how):
    path = p.path("courrier")
    sample.put(path, b"")
    for turn in range(3):
        p.between()
        writers = [subprocess.Popen(
            [sys.executable, "-c", _DELIVER, path, "agent%d-%d" % (turn, i),
             str(MAILS), how], cwd="/") for i in range(WRITERS)]
        for w in writers:
            if w.wait(120):
                raise AssertionError("a delivery failed")
    p.between()
    # A mail program that removes some: written anew beside, renamed over.
    box = mailbox.mbox(path, create=False)
    for key, mail in list(box.items()):
        if mail["subject"].endswith(" 3"):
            box.remove(key)
    box.close()
    p.between()
    said = _subjects(path)
    names = os.listdir(p.dir)
    os.unlink(path)  # the order of the mails is a matter of who came first
    return said, sorted(names)


def mbox_dotlock_and_fcntl(p):
    return _mbox(p, "mailbox")


def mbox_flock(p):
    return _mbox(p, "flock")


_DEPOSIT = """
import sqlite3, sys
path, who, n = sys.argv[1:]
db = sqlite3.connect(path, timeout=60, isolation_level=None)
for i in range(int(n)):
    db.execute("begin immediate")
    total = db.execute("select sum(v) from t").fetchone()[0]
    db.execute("update t set v = v + 1 where k = ?", (i % 5,))
    db.execute("insert into log values(?, ?, ?)", (who, i, total))
    db.execute("commit")
print(db.execute("pragma integrity_check").fetchone()[0])
"""


def _sqlite_two(p, mode):
    path = p.path("db")
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("pragma journal_mode=" + mode)
    db.execute("create table t(k integer primary key, v integer)")
    db.execute("create table log(who, i, total)")
    db.executemany("insert into t values(?, 0)", [(k,) for k in range(5)])
    db.execute("create table pad(b)")
    db.executemany("insert into pad values(?)",
                   [(sample.text(i, 9000),) for i in range(40)])
    db.close()
    p.between()
    two = [subprocess.Popen([sys.executable, "-c", _DEPOSIT, path, who, "60"],
                            cwd="/", stdout=subprocess.PIPE, text=True)
           for who in "ab"]
    busy = threading.Event()
    beside = threading.Thread(target=lambda: _until(busy, p.between))
    beside.start()
    said = [w.communicate(timeout=200)[0] for w in two]
    busy.set()
    beside.join()
    p.between()
    db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    total = db.execute("select sum(v) from t").fetchone()
    # Each saw all that was committed before: no total was seen twice.
    seen = [x for (x,) in db.execute("select total from log order by total")]
    db.close()
    for name in os.listdir(p.dir):
        os.unlink(p.path(name))
    return said, total, seen == list(range(120))


def _until(event, what):
    while not event.wait(0.05):
        what()


def sqlite_rollback_two_processes(p):
    return _sqlite_two(p, "delete")


def sqlite_wal_two_processes(p):
    return _sqlite_two(p, "wal")


def cp_sparse(p):
    os.mkdir(p.path("a"))
    sample.everything(p.path("a"))
    p.between()
    told = []
    for how in ("always", "auto", "never"):
        p.run("cp", "-a", "--sparse=" + how, "a", how)
        p.between()
        told += tree.differences(tree.snapshot(p.path("a")),
                                 tree.snapshot(p.path(how)),
                                 ("ctime", "blocks", "holes"))
        told.append([how, tree.extents(p.path(how, "creux")),
                     tree.extents(p.path(how, "trou")),
                     os.stat(p.path(how, "creux")).st_blocks,
                     os.stat(p.path(how, "trou")).st_blocks])
    return told


_WAIT = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
{"flock": lambda: fcntl.flock(fd, fcntl.LOCK_EX),
 "fcntl": lambda: fcntl.lockf(fd, fcntl.LOCK_EX, 100, 50)}[sys.argv[2]]()
os.pwrite(fd, b"second", 0)
"""


def locks_wait(p):
    """Who waits for a lock gets it when the other lets go, and not before;
    the file is packed when it is first locked."""
    seen = []
    for how in ("flock", "fcntl"):
        path = p.path(how)
        sample.put(path, sample.text(how, 50_000))
        p.between()
        fd = os.open(path, os.O_RDWR)
        if how == "flock":
            fcntl.flock(fd, fcntl.LOCK_EX)
        else:
            fcntl.lockf(fd, fcntl.LOCK_EX, 10, 90)
        waiting = subprocess.Popen([sys.executable, "-c", _WAIT, path, how],
                                   cwd="/")
        try:
            waiting.wait(0.5)
        except subprocess.TimeoutExpired:
            seen.append("waits")
        p.between()
        os.pwrite(fd, b"first ", 0)
        seen.append(os.pread(fd, 6, 0))
        os.close(fd)
        seen.append(waiting.wait(20))
        seen.append(tree.read_all(path)[:10])
    return seen


class Shared(lockstep.Case):
    def test_mbox_dotlock_and_fcntl(self):
        self.same(mbox_dotlock_and_fcntl)

    def test_mbox_flock(self):
        self.same(mbox_flock)

    @unittest.skipIf(not shutil.which("mutt"), "no mutt")
    def test_mutt(self):
        self.same(mutt)

    def test_sqlite_rollback_two_processes(self):
        self.same(sqlite_rollback_two_processes)

    def test_sqlite_wal_two_processes(self):
        self.same(sqlite_wal_two_processes)

    def test_cp_sparse(self):
        self.same(cp_sparse)

    def test_locks_wait(self):
        self.same(locks_wait)


def mutt(p):
    """A real mail program: reads, deletes every second mail, saves."""
    path = p.path("courrier")
    sample.put(path, b"")
    subprocess.run([sys.executable, "-c", _DELIVER, path, "agent", "12",
                    "mailbox"], check=True, cwd="/")
    p.between()
    env.run("script", "-qec", "mutt -n -F /dev/null -f %s -e 'push "
            "<first-entry><delete-message><first-entry><next-entry>"
            "<delete-message><sync-mailbox>y<quit>y'" % path, "/dev/null",
            env=dict(os.environ, TERM="vt100", HOME=p.dir, USER="agent"),
            timeout=60)
    p.between()
    said = _subjects(path)
    os.unlink(path)
    return said, os.listdir(p.dir)


if __name__ == "__main__":
    env.main()
