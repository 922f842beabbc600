# SPDX-License-Identifier: EUPL-1.2
"""Real programs do the same on the mount as on ext4."""
import hashlib
import os
import shutil
import sqlite3
import subprocess
import unittest

import env
import lockstep
import sample
import tree


def needs(*programs):
    lack = [p for p in programs if not shutil.which(p)]
    return unittest.skipIf(lack, "no " + ", ".join(lack))


def sha(path):
    return hashlib.sha256(tree.read_all(path)).hexdigest()


def cp(p):
    sample.everything(os.path.join(_mk(p, "a")))
    p.between()
    p.run("cp", "-a", "a", "b")
    p.between()
    p.run("cp", "-a", "--sparse=auto", "b", "c")
    p.run("cp", "--reflink=auto", "a/gros.csv", "d")
    p.between()
    # Whole trees, times included, now that nothing else moves them.
    return tree.differences(tree.snapshot(p.path("a")),
                            tree.snapshot(p.path("c")), ("ctime", "blocks"))


def _mk(p, name):
    os.mkdir(p.path(name))
    return p.path(name)


def tar(p):
    sample.everything(_mk(p, "a"))
    p.between()
    p.run("tar", "--xattrs", "--acls", "-cf", "a.tar", "a")
    p.run("tar", "--sparse", "--xattrs", "-cf", "s.tar", "a")
    os.mkdir(p.path("x"))
    os.mkdir(p.path("y"))
    p.between()
    p.run("tar", "--xattrs", "--xattrs-include=*", "--acls", "-C", "x",
          "-xpf", "a.tar")
    p.run("tar", "-C", "y", "-xpf", "s.tar")
    p.between()
    lines = tree.differences(tree.snapshot(p.path("a")),
                             tree.snapshot(p.path("x", "a")),
                             ("ctime", "blocks", "holes"))
    data = tree.differences(tree.snapshot(p.path("a"), ("type", "data")),
                            tree.snapshot(p.path("y", "a"),
                                          ("type", "data")))
    # Access and change times are in no header of the plain format.
    for name in ("a.tar", "s.tar"):
        os.unlink(p.path(name))
    return lines, data


def rsync(p):
    sample.everything(_mk(p, "a"))
    p.between()
    p.run("rsync", "-aAXH", "a/", "b/")
    p.between()
    with open(p.path("a", "note 2.txt"), "ab") as f:
        f.write(b"une ligne de plus\n")
    os.unlink(p.path("a", "note 4.txt"))
    said = p.run("rsync", "-aAXH", "--delete", "--itemize-changes",
                 "--checksum", "a/", "b/")
    p.between()
    p.run("rsync", "-aAXH", "--inplace", "--no-whole-file", "--ignore-times",
          "a/", "b/")
    a, b = tree.snapshot(p.path("a")), tree.snapshot(p.path("b"))
    del a[b""]["mtime"], b[b""]["mtime"]  # rsync sets it, then works there
    return sorted(said.splitlines()), tree.differences(
        a, b, ("ctime", "blocks", "holes"))


GIT = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b",
       "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b",
       "GIT_AUTHOR_DATE": "1600000000 +0000",
       "GIT_COMMITTER_DATE": "1600000000 +0000",
       "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


def git(p):
    env_ = dict(os.environ, **GIT)

    def g(*args):
        return p.run("git", *args, env=env_)

    g("init", "-q", "-b", "main", "a")
    for i in range(40):
        sample.put(p.path("a", "f%d.txt" % (i % 10)), sample.text(i, 20000))
        g("-C", "a", "add", "-A")
        g("-C", "a", "commit", "-qm", "c%d" % i)
    p.between()
    g("clone", "-q", "--no-hardlinks", "a", "b")
    g("clone", "-q", "a", "c")
    p.between()
    g("-C", "b", "gc", "-q", "--prune=now")
    p.between()
    g("-C", "b", "fsck", "--full")
    g("-C", "a", "repack", "-adq")
    said = g("-C", "b", "log", "--format=%H"), g("-C", "c", "status", "-s")
    p.between()
    g("-C", "c", "fsck", "--full")
    g("-C", "c", "checkout", "-q", "HEAD~20")
    for name in "abc":  # the index holds inode numbers and times
        shutil.rmtree(p.path(name, ".git"))
    return said


def _sqlite(p, mode):
    path = p.path("db")
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("pragma journal_mode=" + mode)
    db.execute("create table t(a integer primary key, b blob)")
    for i in range(20):
        db.execute("begin")
        db.executemany("insert into t(b) values(?)",
                       [(sample.text(i * 50 + j, 700),) for j in range(50)])
        db.execute("commit")
        if i % 7 == 3:  # with the database open: it is in use
            p.between()
    db.execute("pragma wal_checkpoint(truncate)")
    db.close()
    p.between()
    db = sqlite3.connect(path, isolation_level=None)
    check = db.execute("pragma integrity_check").fetchall()
    db.execute("update t set b = x'00' where a % 3 = 0")
    total = db.execute("select count(*), sum(length(b)) from t").fetchall()
    db.close()
    p.between()
    db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    dump = hashlib.sha256("\n".join(db.iterdump()).encode()).hexdigest()
    db.close()
    for name in os.listdir(p.dir):  # holds salts
        os.unlink(p.path(name))
    return check, total, dump


def sqlite_rollback(p):
    return _sqlite(p, "delete")


def sqlite_wal(p):
    return _sqlite(p, "wal")


def vim(p):
    """`:w` as vim does it: backup by rename, write anew, drop the backup."""
    sample.put(p.path("lettre.txt"), sample.text(1, 40000))
    os.chown(p.path("lettre.txt"), 1234, 2000)
    os.chmod(p.path("lettre.txt"), 0o664)
    p.between()
    for i in range(3):
        p.run("vim", "-u", "NONE", "-es", "-N", "-c", "set backup nomore",
              "-c", "call append(0, 'ligne %d')" % i, "-c", "wq",
              "lettre.txt")
        p.between()
    return sha(p.path("lettre.txt")), sorted(os.listdir(p.dir))


def vim_style(p):
    """The same by hand, for machines without vim."""
    name = p.path("lettre.txt")
    sample.put(name, sample.text(1, 40000))
    p.between()
    for i in range(4):
        old = tree.read_all(name)
        sample.put(p.path("4913"), b"")  # vim's probe of the directory
        os.unlink(p.path("4913"))
        os.rename(name, name + "~")
        fd = os.open(name, os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(fd, old + b"ligne %d\n" % i)
        os.fsync(fd)
        os.close(fd)
        p.between()
        os.unlink(name + "~")
    return sha(name)


def libreoffice_style(p):
    """Save: a temporary beside, fsync, rename over; a lock file around."""
    name = p.path("Budget.ods")
    sample.put_docx(name, 0)
    for i in range(1, 5):
        p.between()
        fd = os.open(name, os.O_RDWR)  # opened to look; read under a lock
        env.libc().flock(fd, 6)
        sample.put(p.path(".~lock.Budget.ods#"), b",agent,poste")
        os.pread(fd, 65536, 0)
        os.close(fd)
        sample.put_docx(p.path("lu1234.tmp"), i)
        fd = os.open(p.path("lu1234.tmp"), os.O_RDWR)
        os.fsync(fd)
        os.close(fd)
        os.rename(p.path("lu1234.tmp"), name)
        os.unlink(p.path(".~lock.Budget.ods#"))
    p.between()
    return sha(name)


def build(p):
    """A compiler: many small files, mmap, temporary names."""
    for i in range(8):
        sample.put(p.path("m%d.c" % i), b"int f%d(void){return %d;}\n" % (
            i, i))
    sample.put(p.path("main.c"), b"int f3(void);int main(void)"
               b"{return f3()==3?0:1;}\n")
    p.between()
    p.run("sh", "-c", "cc -c m*.c main.c && ar rcD l.a m*.o && "
          "cc -o prog main.o l.a")
    p.between()
    p.run("./prog")  # runs from a packed file
    p.between()
    p.run("sh", "-c", "touch m3.c && cc -c m3.c && ar rcD l.a m3.o && "
          "cc -o prog main.o l.a && ./prog")
    return True


def shell(p):
    """Redirections, in-place tools and the rest that scripts do."""
    sample.files(p.dir)
    p.between()
    out = p.run("sh", "-ec", """
        sed -i s/mairie/MAIRIE/ 'note 1.txt'
        echo plus >> 'note 2.txt'
        : > 'note 3.txt'
        sort -o gros.csv gros.csv
        truncate -s 5000 'note 4.txt'
        dd if=/dev/zero of='note 5.txt' bs=1000 seek=3 count=1 conv=notrunc \
            status=none
        grep -c MAIRIE 'note 1.txt' || true
        gzip -nk9 creux && gzip -t creux.gz
        wc -c * | tail -1
        md5sum *
    """)
    p.between()
    return out, p.run("sh", "-c", "md5sum *; du -b --apparent-size creux")


class Programs(lockstep.Case):
    def test_cp(self):
        self.same(cp)

    @needs("tar")
    def test_tar(self):
        self.same(tar)

    @needs("rsync")
    def test_rsync(self):
        self.same(rsync)

    @needs("git")
    def test_git(self):
        self.same(git)

    def test_sqlite_rollback(self):
        self.same(sqlite_rollback)

    def test_sqlite_wal(self):
        self.same(sqlite_wal)

    @needs("vim")
    def test_vim(self):
        self.same(vim)

    def test_vim_style(self):
        self.same(vim_style)

    def test_libreoffice_style(self):
        self.same(libreoffice_style)

    @needs("cc", "ar")
    def test_build(self):
        self.same(build)

    @needs("gzip", "sed")
    def test_shell(self):
        self.same(shell)

    @needs("tar")
    def test_tar_of_a_packed_tree_fakes_no_hole(self):
        """A stub has no blocks: taken for a hole, it is backed up as
        zeros."""
        top = os.path.join(self.drive.dir, "nohole")
        os.mkdir(top)
        sample.everything(top)
        want = tree.snapshot(top, ("type", "data"))
        self.drive.pack("nohole")
        self.assertTrue(self.drive.is_packed("nohole/gros.csv"))
        out = env.tmp("tar")
        for options in (["--sparse"], ["--sparse", "--hole-detection=raw"],
                        []):
            archive = os.path.join(out, "a.tar")
            env.run("tar", *options, "-C", top, "-cf", archive, ".")
            back = env.tmp("back")
            env.run("tar", "-C", back, "-xpf", archive)
            tree.assert_same(self, want,
                             tree.snapshot(back, ("type", "data")),
                             what=str(options))
        copy = os.path.join(out, "copy")
        subprocess.run(["cp", "-a", "--sparse=always", top, copy],
                       check=True)
        tree.assert_same(self, want, tree.snapshot(copy, ("type", "data")))


if __name__ == "__main__":
    env.main()
