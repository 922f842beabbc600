# SPDX-License-Identifier: EUPL-1.2
"""At the limits the mount does what ext4 does: many names, big files, links
all over the tree; and a daemon out of descriptors breaks nothing."""
import errno
import os

import case
import drive
import env
import lockstep
import sample
import sys_calls
import tree
from sys_calls import error_of

MANY = int(os.environ.get("SOBRE_NAMES", "20000"))
MIB = 1 << 20
TIB = 1 << 40


def many_names(p):
    """In one directory: listed once each, in a stable order."""
    for i in range(MANY):
        os.close(os.open(p.path("nom-%05d" % i), os.O_WRONLY | os.O_CREAT))
    with os.scandir(p.dir) as it:
        first = [(e.name, e.inode()) for e in it]
    with os.scandir(p.dir) as it:
        again = [(e.name, e.inode()) for e in it]
    out = [len(first), len(dict(first)), first == again,
           all(os.stat(p.path(name)).st_ino == ino
               for name, ino in first[::97])]
    for name, _ in first[::2]:
        os.unlink(p.path(name))
    for name, _ in first[1::4]:
        os.rename(p.path(name), p.path("autre-" + name))
    left = sorted(os.listdir(p.dir))
    # Where the order of the directory decides, only how many there are.
    out += [len(left), sum(n.startswith("autre-") for n in left)]
    for name in left:
        os.unlink(p.path(name))
    return out


def links_across(p):
    """One file, its names in many departments."""
    for i in range(40):
        os.makedirs(p.path("service%02d" % i, "dossier"))
    first = p.path("service00", "dossier", "bail")
    sample.put(first, sample.text("bail", 150000))
    names = [first]
    for i in range(1, 40):
        name = p.path("service%02d" % i, "dossier", "bail%d" % i)
        os.link(names[-1], name)
        names.append(name)
    p.between()
    out = [os.stat(n).st_nlink for n in names[::7]]
    with open(names[20], "r+b") as f:
        f.write(b"avenant")
    p.between()
    out.append({tree.read_all(n)[:10] for n in names})
    os.rename(names[39], p.path("service05", "bail39"))
    os.unlink(names[0])
    env.run("rm", "-r", p.path("service07"))
    p.between()
    out.append(os.stat(names[1]).st_nlink)
    out.append(tree.read_all(p.path("service05", "bail39"))[:10])
    out.append(len({os.stat(n).st_ino for n in names[1:7]}))
    return out


def link_limit(p):
    """65,000 on ext4."""
    os.mkdir(p.path("d"))
    sample.put(p.path("d", "0"), b"x" * 5000)
    n = 1
    while n < 70000:
        try:
            os.link(p.path("d", "0"), p.path("d", "%d" % n))
        except OSError as e:
            got = errno.errorcode[e.errno]
            break
        n += 1
    nlink = os.stat(p.path("d", "0")).st_nlink
    env.run("rm", "-r", p.path("d"))
    return n, nlink, got


def marks(fd, offsets):
    return [os.pread(fd, 16, off - 8) for off in offsets]


def big_offsets(p):
    """Sparse, beyond 2 GiB, 4 GiB and 2 TiB."""
    offsets = [(1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 5 << 30,
               2 * TIB - 1, 2 * TIB, 3 * TIB]
    name = p.path("grand")
    fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
    for i, off in enumerate(offsets):
        os.pwrite(fd, b"marque%02d" % i, off)
    os.close(fd)
    p.between()
    with open(name, "rb") as f:
        out = [os.lseek(f.fileno(), 6 << 30, os.SEEK_DATA),
               os.lseek(f.fileno(), 3 * TIB, os.SEEK_DATA)]
    fd = os.open(name, os.O_RDWR)
    out += [os.fstat(fd).st_size, marks(fd, offsets)]
    out.append(os.lseek(fd, 0, os.SEEK_END))
    os.pwrite(fd, b"encore", 4 * TIB)
    os.close(fd)
    p.between()
    os.truncate(name, 2 * TIB + 4)
    out.append(os.stat(name).st_size)
    fd = os.open(name, os.O_RDWR)
    out.append(marks(fd, offsets[:-1]))
    out.append(error_of(os.pwrite, fd, b"x", 16 * TIB))
    out.append(error_of(os.ftruncate, fd, 17 * TIB))
    os.ftruncate(fd, 15 * TIB)
    out.append(os.fstat(fd).st_size)
    os.close(fd)
    p.between()
    os.truncate(name, (4 << 30) + 3)
    out.append(os.stat(name).st_size)
    fd = os.open(name, os.O_RDONLY)
    out.append(os.pread(fd, 20, (4 << 30) - 10))
    os.close(fd)
    os.unlink(name)
    return out


def over_4_gib(p):
    """With data on both sides of the limit, a mapping across it."""
    name = p.path("image")
    data = sample.text("image", 3 * MIB)
    sample.put_sparse(name, (4 << 30) + 8 * MIB, [
        (0, data[:MIB]), ((4 << 30) - MIB, data[MIB:])])
    p.between()
    fd = os.open(name, os.O_RDONLY)
    out = [os.pread(fd, 2 * MIB, (4 << 30) - MIB) == data[MIB:],
           os.pread(fd, 100, (4 << 30) - 50)]
    os.close(fd)
    with open(name, "r+b") as f:
        f.seek((4 << 30) - 3)
        f.write(b"limite")
    p.between()
    fd = os.open(name, os.O_RDONLY)
    out.append(os.pread(fd, 12, (4 << 30) - 6))
    os.close(fd)
    out.append(tree.extents(name))
    os.unlink(name)
    return out


def open_error(*args):
    try:
        os.close(os.open(*args))
        return ""
    except OSError as e:
        return errno.errorcode[e.errno]


def file_flags(p):
    """chattr: what it forbids, and the ctime it leaves."""
    name = p.path("f")
    sample.put(name, sample.text("chattr", 50000))
    before = os.stat(name).st_ctime_ns
    env.run("chattr", "+A", name)
    env.run("chattr", "-A", name)
    out = [os.stat(name).st_ctime_ns > before]
    for flag in "ia":
        env.run("chattr", "+" + flag, name)
        try:
            out.append([
                open_error(name, os.O_RDONLY),
                open_error(name, os.O_WRONLY), open_error(name, os.O_RDWR),
                error_of(os.truncate, name, 3), error_of(os.unlink, name),
                error_of(os.rename, name, p.path("g")),
                error_of(os.link, name, p.path("g")),
                error_of(os.chmod, name, 0o600),
                error_of(os.setxattr, name, "user.x", b"x"),
                error_of(os.utime, name, ns=(1, 1))])
            if flag == "a":
                with open(name, "ab") as f:
                    f.write(b"au bout")
        finally:
            env.run("chattr", "-" + flag, name)
        p.between()
    out.append(tree.read_all(name))
    return out


class Limits(lockstep.Case):
    size_mib = max(1024, MANY // 50)  # an inode for every 16 KiB


def _add(scenario):
    setattr(Limits, "test_" + scenario.__name__,
            lambda self: self.same(scenario))


for _scenario in (many_names, links_across, link_limit, big_offsets,
                  over_4_gib, file_flags):
    _add(_scenario)


def made(path):
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o644))


class FewDescriptors(drive.Drive):
    """Its daemon may have 200 open, and can't ask for more."""

    def argv(self):
        return ["setpriv", "--bounding-set", "-sys_resource", "prlimit",
                "--nofile=200:200", *super().argv()]


class OutOfDescriptors(case.DriveCase):
    def test_what_could_not_be_made_is_not_there(self):
        d = FewDescriptors(self.lower).start()
        self.addCleanup(d.clean)
        held = []
        for i in range(300):
            try:
                held.append(os.open(self.path("f%d" % i),
                                    os.O_RDWR | os.O_CREAT, 0o644))
            except OSError as e:
                self.assertEqual(errno.ENFILE, e.errno)
                break
        self.assertLess(10, len(held))
        self.assertLess(len(held), 200)
        failed = ["f%d" % len(held), "neuf-d", "neuf-l", "neuf-h"]
        tries = [(made, self.path(failed[0])),
                 (os.mkdir, self.path(failed[1])),
                 (os.symlink, "x", self.path(failed[2])),
                 (os.link, self.path("f0"), self.path(failed[3]))]
        for call in tries:
            self.assertIn(error_of(*call), ("", "ENFILE"))
        below = os.listdir(d.below())
        for fd in held:
            os.close(fd)
        for name, call in zip(failed, tries):
            self.assertEqual("EEXIST" if name in below and
                             call[0] is not made else "",
                             error_of(*call), name)
        self.assertEqual(sorted(set(os.listdir(d.below())) - {".sobre"}),
                         sorted(os.listdir(d.dir)))
        for i in range(len(held)):
            self.assertTrue(os.path.exists(self.path("f%d" % i)))


if __name__ == "__main__":
    env.main(("setpriv", "prlimit", "chattr"))
