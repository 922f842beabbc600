# SPDX-License-Identifier: EUPL-1.2
"""System calls do the same on the mount as on ext4."""
import errno
import fcntl
import mmap
import os
import socket
import stat
import struct
import time
import unittest

import env
import lockstep
import sample
import sys_calls
import tree
from sys_calls import error_of

BIG = sample.text("big", 300000)


def fresh(p, name="f", data=BIG):
    """A closed file that was packed if this place packs."""
    sample.put(p.path(name), data)
    p.between()
    return p.path(name)


def opened(path, flags):
    return os.fdopen(os.open(path, flags), "r+b" if flags & os.O_RDWR
                     else "wb" if flags & os.O_WRONLY else "rb",
                     buffering=0)


def read_write(p):
    name = fresh(p)
    out = []
    with opened(name, os.O_RDWR) as f:
        out.append(os.pread(f.fileno(), 1000, 123456))
        os.pwrite(f.fileno(), b"milieu", 200001)
        out.append(os.pread(f.fileno(), 20, 199995))
        os.pwrite(f.fileno(), b"fin", 300010)  # leaves a gap
        out.append(os.fstat(f.fileno()).st_size)
        os.fsync(f.fileno())
    p.between()
    out.append(tree.read_all(name))
    with opened(name, os.O_WRONLY) as f:
        os.pwrite(f.fileno(), b"x", 7)
        os.fdatasync(f.fileno())
    p.between()
    with open(name, "rb") as f:
        f.seek(299990)
        out.append(f.read())
        out.append(os.pread(f.fileno(), 10, 400000))
    return out


def append(p):
    name = fresh(p)
    for i in range(3):
        with opened(name, os.O_WRONLY | os.O_APPEND) as f:
            os.write(f.fileno(), b"ligne %d\n" % i)
            os.write(f.fileno(), b"encore\n")
        p.between()
    with opened(name, os.O_RDWR | os.O_APPEND) as f:
        first = os.read(f.fileno(), 10)
        os.lseek(f.fileno(), 5, os.SEEK_SET)
        os.write(f.fileno(), b"au bout")
        at = os.lseek(f.fileno(), 0, os.SEEK_CUR)
    return first, at, tree.read_all(name)[-60:]


def truncate(p):
    out = []
    for size in (0, 1, 4096, 123457, 300000, 300001, 1 << 20):
        name = fresh(p, "t%d" % size)
        os.truncate(name, size)
        out.append(os.stat(name).st_size)
        p.between()
        out.append(tree.read_all(name) == (BIG + bytes(1 << 20))[:size])
        with opened(name, os.O_RDWR) as f:  # ftruncate
            os.ftruncate(f.fileno(), 1000)
            out.append(os.fstat(f.fileno()).st_size)
        p.between()
    name = fresh(p, "otrunc")
    os.close(os.open(name, os.O_WRONLY | os.O_TRUNC))
    out.append(os.stat(name).st_size)
    name = fresh(p, "otrunc2")
    with opened(name, os.O_RDWR | os.O_TRUNC) as f:
        out.append(os.read(f.fileno(), 10))
        os.write(f.fileno(), b"neuf")
    p.between()
    out.append(tree.read_all(name))
    return out


def memory_map(p):
    name = fresh(p)
    out = []
    with opened(name, os.O_RDWR) as f:
        m = mmap.mmap(f.fileno(), 0)
    # The map outlives the descriptor.
    p.between()
    out.append(m[100000:100040])
    m[5000:5006] = b"CARTE!"
    m[299990:300000] = b"0123456789"
    m.flush()
    out.append(m[4990:5010])
    m.close()
    out.append(tree.read_all(name)[4990:5010])
    p.between()
    out.append(tree.read_all(name))
    with opened(name, os.O_RDONLY) as f:
        m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
        out.append(m[:50])
        private = mmap.mmap(f.fileno(), 0, flags=mmap.MAP_PRIVATE,
                            prot=mmap.PROT_READ | mmap.PROT_WRITE)
        private[:4] = b"priv"
        out.append(m[:4])
        p.between()
        out.append(m[250000:250010])
        m.close()
        private.close()
    return out


def map_then_write_by_another(p):
    """Both ways to the data show one file."""
    name = fresh(p)
    with opened(name, os.O_RDONLY) as f:
        m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
        first = m[1000:1010]
        with opened(name, os.O_WRONLY) as g:
            os.pwrite(g.fileno(), b"XXXXXXXXXX", 1000)
        now = m[1000:1010], os.pread(f.fileno(), 10, 1000)
        m.close()
    p.between()
    return first, now, tree.read_all(name)[990:1020]


def reader_before_writer(p):
    """A descriptor from before the copy-up sees what is written after."""
    name = fresh(p)
    out = []
    with opened(name, os.O_RDONLY) as r:
        out.append(os.pread(r.fileno(), 8, 0))
        with opened(name, os.O_RDWR) as w:
            os.pwrite(w.fileno(), b"NOUVEAU!", 0)
            out.append(os.pread(r.fileno(), 8, 0))
            os.ftruncate(w.fileno(), 4)
        out.append(os.pread(r.fileno(), 8, 0))
    return out


def allocate(p):
    out = []
    for mode, off, length in (
            (0, 0, 400000), (sys_calls.FALLOC_KEEP_SIZE, 300000, 100000),
            (sys_calls.FALLOC_KEEP_SIZE | sys_calls.FALLOC_PUNCH_HOLE,
             8192, 65536),
            (sys_calls.FALLOC_ZERO_RANGE, 100, 5000),
            (sys_calls.FALLOC_COLLAPSE_RANGE, 4096, 8192),
            (sys_calls.FALLOC_INSERT_RANGE, 4096, 8192)):
        name = fresh(p, "a%d-%d" % (mode, off))
        with opened(name, os.O_RDWR) as f:
            failed = error_of(sys_calls.fallocate, f.fileno(), mode, off,
                              length)
        # FUSE itself knows no collapse and no insert.
        if mode in (sys_calls.FALLOC_COLLAPSE_RANGE,
                    sys_calls.FALLOC_INSERT_RANGE):
            os.unlink(name)
            continue
        p.between()
        out.append((mode, failed, os.stat(name).st_size,
                    tree.read_all(name)))
    return out


def links(p):
    name = fresh(p)
    os.link(name, p.path("g"))
    p.between()
    with open(p.path("g"), "ab") as f:
        f.write(b"par l'autre nom")
    out = [tree.read_all(name)[-20:], os.stat(name).st_nlink]
    p.between()
    os.unlink(name)
    out.append(tree.read_all(p.path("g"))[-20:])
    out.append(os.stat(p.path("g")).st_nlink)
    out.append(error_of(os.link, p.path("g"), p.path("g")))
    out.append(error_of(os.link, p.dir, p.path("d")))
    return out


def renames(p):
    flags = sys_calls.renameat2
    a, b = fresh(p, "a", b"A" * 5000), fresh(p, "b", b"B" * 6000)
    out = [error_of(flags, a, b, sys_calls.RENAME_NOREPLACE)]
    flags(a, b, sys_calls.RENAME_EXCHANGE)
    out.append((tree.read_all(a)[:3], tree.read_all(b)[:3]))
    p.between()
    os.rename(a, b)
    out.append(tree.read_all(b)[:3])
    os.mkdir(p.path("d"))
    os.mkdir(p.path("d", "e"))
    sample.put(p.path("d", "e", "f"), BIG)
    p.between()
    flags(p.path("d", "e"), p.path("E"), sys_calls.RENAME_NOREPLACE)
    flags(p.path("E"), b, sys_calls.RENAME_EXCHANGE)
    out.append(os.path.isdir(b))
    out.append(len(tree.read_all(os.path.join(b, "f"))))
    out.append(error_of(os.rename, p.path("d"), p.path("d", "x")))
    out.append(error_of(os.rename, p.path("absent"), p.path("x")))
    os.mkdir(p.path("plein"))
    sample.put(p.path("plein", "x"), b"x")
    out.append(error_of(os.rename, p.path("d"), p.path("plein")))
    out.append(error_of(os.rename, p.path("E"), p.path("d")))
    return out


def names(p):
    out = []
    for name in (b"\xff\xfe\x80", b"n" * 255, b" ", b"a\nb", b"-rf",
                 "e\u0301".encode(), "é".encode(), b"...", b".sobre2",
                 b"\\x\"'*?"):
        path = os.path.join(os.fsencode(p.dir), name)
        sample.put(path, name * 2000)
        p.between()
        out.append(tree.read_all(path) == name * 2000)
    out.append(error_of(sample.put, p.path("n" * 256), b""))
    out.append(error_of(os.mkdir, p.path("n" * 256)))
    out.append(error_of(os.stat, p.path("n" * 256)))
    return out, sorted(os.listdir(os.fsencode(p.dir)))


def deep(p):
    """Below a path longer than PATH_MAX, reached a step at a time."""
    here = os.open(p.dir, os.O_RDONLY | os.O_DIRECTORY)
    for i in range(30):
        name = "%02d" % i + "d" * 200
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    fd = os.open("fond", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=here)
    os.write(fd, BIG)
    os.close(fd)
    p.between()
    fd = os.open("fond", os.O_RDWR, dir_fd=here)
    got = os.pread(fd, 1 << 20, 0) == BIG
    os.pwrite(fd, b"x", 0)
    os.close(fd)
    os.close(here)
    path = p.dir + "/" + "/".join(["x" * 250] * 20)
    long_path = path[:4096]
    errors = error_of(os.stat, long_path), error_of(os.mkdir, long_path)
    env.run("rm", "-r", p.path("00" + "d" * 200))
    return got, errors


def path_of_4095(p):
    """The longest path that a call takes."""
    top = os.fsencode(p.dir) + b"/"
    part = b"p" * 100 + b"/"
    path = top
    while len(path) + len(part) < 4090:
        path += part
        os.mkdir(path)
    path += b"q" * (4095 - len(path))
    sample.put(path, BIG)
    p.between()
    good = tree.read_all(path) == BIG
    failed = error_of(os.stat, path + b"q")
    env.run("rm", "-r", top + part)
    return good, failed


def special(p):
    os.mkfifo(p.path("tube"), 0o640)
    os.mknod(p.path("nul"), stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod(p.path("bloc"), stat.S_IFBLK | 0o600, os.makedev(7, 99))
    s = socket.socket(socket.AF_UNIX)
    here = os.open(p.dir, os.O_RDONLY)
    s.bind("/proc/self/fd/%d/sock" % here)
    os.close(here)
    s.close()
    p.between()
    with open(p.path("nul"), "rb") as f:
        got = f.read(3)
    pid = os.fork()
    if pid == 0:
        fd = os.open(p.path("tube"), os.O_WRONLY)
        os.write(fd, b"par le tube")
        os._exit(0)
    with open(p.path("tube"), "rb") as f:
        said = f.read()
    os.waitpid(pid, 0)
    return got, said


def symlinks(p):
    sample.put(p.path("cible"), BIG)
    os.symlink("cible", p.path("lien"))
    os.symlink("/proc/version", p.path("dehors"))
    os.symlink("../" * 40 + "proc/version", p.path("remonte"))
    os.symlink("boucle", p.path("boucle"))
    os.symlink("x" * 4095, p.path("long"))
    p.between()
    out = [tree.read_all(os.path.realpath(p.path("lien"))) == BIG]
    with open("/proc/version", "rb") as f, open(p.path("dehors"), "rb") as g:
        out.append(f.read() == g.read())
    out.append(error_of(open, p.path("boucle")))
    out.append(error_of(os.open, p.path("lien"), os.O_NOFOLLOW))
    with open(p.path("lien"), "ab") as f:
        f.write(b"x")
    return out, os.stat(p.path("cible")).st_size


def attributes(p):
    name = fresh(p)
    out = []
    os.setxattr(name, "user.a", b"1" * 300)
    os.setxattr(name, "user.b", b"")
    os.setxattr(name, "trusted.ours", b"t")
    os.setxattr(p.dir, "user.dir", b"d")
    p.between()
    out.append(error_of(os.setxattr, name, "user.a", b"2", os.XATTR_CREATE))
    out.append(error_of(os.setxattr, name, "user.c", b"2",
                        os.XATTR_REPLACE))
    out.append(error_of(os.getxattr, name, "user.absent"))
    out.append(error_of(os.setxattr, name, "user.big", b"x" * 70000))
    os.removexattr(name, "user.b")
    out.append(error_of(os.removexattr, name, "user.b"))
    os.chmod(name, 0o4750)
    os.chown(name, 1234, 2000)  # clears suid
    out.append(oct(os.stat(name).st_mode))
    os.utime(name, ns=(1_000_000_001, 2_000_000_002))
    p.between()
    st = os.stat(name)
    out.append((st.st_atime_ns, st.st_mtime_ns))
    os.utime(name, ns=(-5_000_000_001, -7_000_000_003))  # before 1970
    st = os.stat(name)
    out.append((st.st_mtime_ns, st.st_size))
    p.between()
    out.append(os.stat(name).st_mtime_ns)
    out.append(tree.xattrs(name))
    return out


def ours_are_hidden(p):
    name = fresh(p)
    out = []
    for ns in ("trusted", "user"):
        attr = ns + ".sobre.content"
        out.append(error_of(os.getxattr, name, attr))
        out.append([n for n in os.listxattr(name) if "sobre" in n])
    return out


def access_lists(p):
    name = fresh(p)
    os.chmod(name, 0o600)
    os.setxattr(name, "system.posix_acl_access", sample.ACL)
    os.mkdir(p.path("d"))
    os.setxattr(p.path("d"), "system.posix_acl_default", sample.ACL)
    p.between()

    def agent(uid, gid, groups, path, mode):
        return sys_calls.as_agent(uid, gid, groups, error_of, open, path,
                                  mode)

    out = [agent(1234, 1234, [], name, "rb"),
           agent(1234, 1234, [], name, "r+b"),
           agent(4321, 4321, [2000], name, "r+b"),
           agent(4321, 4321, [2001], name, "rb")]
    os.umask(0o077)  # a default ACL takes its place
    sample.put(p.path("d", "neuf"), BIG, 0o666)
    os.mkdir(p.path("d", "sous"))
    os.umask(0o022)
    p.between()
    out.append(agent(4321, 4321, [2000], p.path("d", "neuf"), "r+b"))
    out.append(tree.xattrs(p.path("d", "neuf")))
    out.append(tree.xattrs(p.path("d", "sous")))
    return out


def group_directory(p):
    """What Samba shares are made of: a setgid directory, and agents who are
    in its group by a supplementary one only."""
    d = p.path("equipe")
    os.mkdir(d)
    os.chown(d, 0, 2000)
    os.chmod(d, 0o2770)

    def work(mask):
        os.umask(mask)
        sample.put(os.path.join(d, "doc%o" % mask), BIG, 0o666)
        os.mkdir(os.path.join(d, "sous%o" % mask), 0o777)
        with open(os.path.join(d, "doc%o" % mask), "r+b") as f:
            f.write(b"encore")
        os.rename(os.path.join(d, "doc%o" % mask),
                  os.path.join(d, "doc%o.txt" % mask))
        os.symlink("x", os.path.join(d, "lien%o" % mask))
        return sorted(os.listdir(d))

    def colleague(name):
        with open(os.path.join(d, name), "r+b") as f:
            f.write(b"collegue")
        os.utime(os.path.join(d, name))
        return error_of(os.chmod, os.path.join(d, name), 0o777)

    out = [sys_calls.as_agent(1234, 1234, [2000], work, 0o007),
           sys_calls.as_agent(1235, 1235, [5, 2000, 7], work, 0o022)]
    p.between()
    out.append(sys_calls.as_agent(1236, 1236, [2000], colleague,
                                  "doc7.txt"))
    out.append(sys_calls.as_agent(1236, 1236, [2000], error_of, colleague,
                                  "doc22.txt"))
    out.append(sys_calls.as_agent(1236, 1236, [2001], error_of, os.listdir,
                                  d))
    return out


def no_way_round_rights(p):
    """What default_permissions refuses stays refused, packed or not."""
    name = fresh(p)
    os.chmod(name, 0o640)
    os.mkdir(p.path("ferme"), 0o700)
    sample.put(p.path("ferme", "x"), BIG)
    os.mkdir(p.path("colle"))
    os.chmod(p.path("colle"), 0o1777)
    sample.put(p.path("colle", "x"), BIG)
    p.between()

    def attempts():
        return [error_of(open, name, "rb"), error_of(open, name, "ab"),
                error_of(os.truncate, name, 0),
                error_of(os.chmod, name, 0o666),
                error_of(os.utime, name), error_of(os.chown, name, 1234, -1),
                error_of(os.setxattr, name, "user.x", b"x"),
                error_of(os.stat, p.path("ferme", "x")),
                error_of(os.unlink, p.path("colle", "x")),
                error_of(os.rename, p.path("colle", "x"), p.path("y")),
                error_of(os.setxattr, name, "trusted.x", b"x")]

    return sys_calls.as_agent(1234, 1234, [], attempts)


def suid_goes(p):
    """A write by someone else takes suid and sgid away."""
    out = []
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC):
        name = fresh(p, "s%d" % flags)
        os.chmod(name, 0o6777)

        def write():
            fd = os.open(name, flags)
            os.write(fd, b"x")
            os.close(fd)

        sys_calls.as_agent(1234, 1234, [], write)
        out.append(oct(os.stat(name).st_mode))
    return out


# A version 2 one of cap_net_bind_service.
NET_BIND = bytes.fromhex("0100000200040000000000000000000000000000")


def capability_goes(p):
    """A write takes it away, also when it was given after a first look."""
    name = fresh(p)
    out = [error_of(os.getxattr, name, "security.capability")]
    os.setxattr(name, "security.capability", NET_BIND)
    p.between()
    out.append(os.getxattr(name, "security.capability"))
    with opened(name, os.O_WRONLY) as f:
        os.pwrite(f.fileno(), b"x", 0)
    out.append(error_of(os.getxattr, name, "security.capability"))
    return out


def set_ids_go(p):
    """By the file's mode, and by whether the writer is of its group."""
    def write(fd):
        os.pwrite(fd, b"x", 100)

    def allocate(fd):
        sys_calls.fallocate(fd, 0, 0, 400000)

    def punch(fd):
        sys_calls.fallocate(fd, sys_calls.FALLOC_KEEP_SIZE |
                            sys_calls.FALLOC_PUNCH_HOLE, 4096, 65536)

    def cut(fd):
        os.ftruncate(fd, 1000)

    def work(name, change):
        with opened(name, os.O_RDWR) as f:
            change(f.fileno())

    out = []
    for change in (write, allocate, punch, cut):
        for mode in (0o6666, 0o2666, 0o4767, 0o2676):
            for groups in ([], [2000]):
                name = fresh(p, "g%s%o%d" % (change.__name__, mode,
                                             len(groups)))
                os.chown(name, 0, 2000)
                os.chmod(name, mode)
                sys_calls.as_agent(1234, 1234, groups, work, name, change)
                out.append((change.__name__, oct(mode), groups,
                            oct(os.stat(name).st_mode)))
    return out


def unlinked_open(p):
    name = fresh(p)
    out = []
    with opened(name, os.O_RDWR) as f:
        os.unlink(name)
        p.between()
        out.append(os.pread(f.fileno(), 20, 150000))
        os.pwrite(f.fileno(), b"fantome", 150000)
        out.append(os.pread(f.fileno(), 20, 150000))
        out.append((os.fstat(f.fileno()).st_nlink,
                    os.fstat(f.fileno()).st_size))
        os.ftruncate(f.fileno(), 10)
        out.append(os.pread(f.fileno(), 20, 0))
    name = fresh(p, "g")
    with opened(name, os.O_RDONLY) as f:
        sample.put(p.path("h"), b"remplace")
        os.rename(p.path("h"), name)
        p.between()
        out.append(os.pread(f.fileno(), 10, 290000))
    out.append(tree.read_all(name))
    return out


def extents_when_released(path, size):
    """The kernel tells a server of a writer's close after close() has returned;
    until then a store through a mapping is possible, and all is data."""
    end = time.monotonic() + 10
    while tree.extents(path) == [(0, size)] and time.monotonic() < end:
        time.sleep(0.01)
    return tree.extents(path)


def sparse(p):
    sample.put_sparse(p.path("s"), 3 << 20, [
        (0, sample.text(1, 8192)), (1 << 20, sample.text(2, 12288))])
    before = tree.extents(p.path("s"))
    p.between()
    out = [before, tree.extents(p.path("s"))]
    with opened(p.path("s"), os.O_RDONLY) as f:
        out.append(error_of(os.lseek, f.fileno(), 4 << 20, os.SEEK_DATA))
        out.append(error_of(os.lseek, f.fileno(), 2 << 20, os.SEEK_DATA))
    with opened(p.path("s"), os.O_RDWR) as f:
        out.append(error_of(os.lseek, f.fileno(), 4 << 20, os.SEEK_DATA))
        os.pwrite(f.fileno(), b"x" * 4096, 2 << 20)
    out.append(extents_when_released(p.path("s"), 3 << 20))
    p.between()
    out.append(tree.extents(p.path("s")))
    return out


def locks(p):
    """Kept from another process, by POSIX and by flock, packed or not."""
    name = fresh(p)

    def other():
        out = []
        with open(name, "r+b") as f:
            for call in (lambda: fcntl.flock(f, fcntl.LOCK_EX |
                                             fcntl.LOCK_NB),
                         lambda: fcntl.lockf(f, fcntl.LOCK_EX |
                                             fcntl.LOCK_NB, 10, 100),
                         lambda: fcntl.lockf(f, fcntl.LOCK_EX |
                                             fcntl.LOCK_NB, 10, 200)):
                out.append(error_of(call))
            ask = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 100, 10, 0)
            got = struct.unpack("hhqqi", fcntl.fcntl(f, fcntl.F_GETLK, ask))
            out.append(got[:4])
        return out

    with open(name, "r+b") as f:
        free = sys_calls.in_child(other)
        fcntl.flock(f, fcntl.LOCK_EX)
        fcntl.lockf(f, fcntl.LOCK_EX, 10, 100)
        p.between()
        taken = sys_calls.in_child(other)
    return free, taken, sys_calls.in_child(other)


def copy_range(p):
    a = fresh(p, "a")
    sample.put(p.path("b"), b"b" * 1000)
    p.between()
    with opened(a, os.O_RDONLY) as f, opened(p.path("b"), os.O_RDWR) as g:
        done = 0
        while done < 200000:
            done += os.copy_file_range(f.fileno(), g.fileno(),
                                       200000 - done, done, 500 + done)
    p.between()
    with open(a, "rb") as f, open(p.path("c"), "wb") as g:
        os.sendfile(g.fileno(), f.fileno(), 1000, 100000)
    return tree.read_all(p.path("b")), tree.read_all(p.path("c"))


def directories(p):
    for i in range(2000):
        sample.put(p.path("f%04d" % i), b"")
    seen = set()
    with os.scandir(p.dir) as it:
        for n, entry in enumerate(it):
            seen.add(entry.name)
            if n % 3 == 0:  # while it is being read
                os.unlink(entry.path)
    left = sorted(os.listdir(p.dir))
    out = [len(seen), len(left), error_of(os.rmdir, p.dir)]
    fd = os.open(p.dir, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
    out.append(error_of(os.mkdir, p.path("f0001"))
               or error_of(os.rmdir, p.path("f0001")))
    out.append(error_of(os.open, p.dir, os.O_WRONLY))
    out.append(error_of(os.unlink, p.path("absent")))
    for name in os.listdir(p.dir):
        path = p.path(name)
        (os.rmdir if os.path.isdir(path) else os.unlink)(path)
    return out


def exclusive(p):
    name = fresh(p)
    return [error_of(os.open, name, os.O_CREAT | os.O_EXCL | os.O_WRONLY),
            error_of(os.open, p.path("x"), os.O_RDONLY),
            error_of(os.open, p.path("f", "x"), os.O_RDONLY),
            error_of(os.open, name, os.O_RDONLY | os.O_DIRECTORY),
            error_of(os.open, p.path("x"), os.O_CREAT | os.O_DIRECTORY)]


def direct(p):
    """O_DIRECT, aligned."""
    name = fresh(p, "f", BIG[:262144])
    buf = mmap.mmap(-1, 65536)
    with opened(name, os.O_RDWR | os.O_DIRECT) as f:
        out = [os.preadv(f.fileno(), [buf], 131072), bytes(buf)]
        buf[:4] = b"DROI"
        out.append(os.pwritev(f.fileno(), [buf], 4096))
    p.between()
    return out, tree.read_all(name)


SCENARIOS = (read_write, append, truncate, memory_map,
             map_then_write_by_another, reader_before_writer, allocate, links,
             renames, names, deep, path_of_4095, special, symlinks,
             attributes, ours_are_hidden, access_lists, group_directory,
             no_way_round_rights, suid_goes, capability_goes,
             set_ids_go, unlinked_open,
             sparse, locks, copy_range, directories, exclusive, direct)


class Posix(lockstep.Case):
    def test_tmpfile_gets_a_name(self):
        place = os.path.join(self.drive.dir, "tmpfile")
        os.mkdir(place)
        try:
            fd = os.open(place, os.O_TMPFILE | os.O_RDWR, 0o644)
        except OSError as e:
            if e.errno != errno.EOPNOTSUPP:
                raise
            self.skipTest("O_TMPFILE: this libfuse or kernel has none")
        os.write(fd, BIG)
        sys_calls.link_fd(fd, os.path.join(place, "nomme"))
        os.close(fd)
        self.drive.pack("tmpfile")
        self.assertTrue(self.drive.is_packed("tmpfile/nomme"))
        self.assertEqual(BIG, tree.read_all(os.path.join(place, "nomme")))
        fd = os.open(place, os.O_TMPFILE | os.O_RDWR, 0o644)
        os.write(fd, BIG)  # and one that never gets any
        self.assertEqual(BIG, os.pread(fd, len(BIG), 0))
        os.close(fd)

    def test_birth_time_is_the_lower_s(self):
        path = os.path.join(self.drive.dir, "ne")
        sample.put(path, BIG)
        born = sys_calls.birth_time(path)
        if born is None:
            self.skipTest("statx through FUSE gives no birth time here")
        lower = os.path.join(self.drive.below(), "ne")
        self.assertEqual(sys_calls.birth_time(lower), born)
        self.drive.pack("ne")
        self.assertEqual(born, sys_calls.birth_time(path))

    def test_statfs_is_the_lower_s(self):
        a, b = os.statvfs(self.drive.dir), os.statvfs(self.native)
        self.assertEqual((a.f_blocks, a.f_files, a.f_namemax),
                         (b.f_blocks, b.f_files, b.f_namemax))

    def test_state_directory_is_hidden(self):
        self.assertNotIn(".sobre", os.listdir(self.drive.dir))
        hidden = os.path.join(self.drive.dir, ".sobre")
        self.assertEqual("ENOENT", error_of(os.stat, hidden))
        self.assertNotEqual("", error_of(os.rmdir, hidden))
        self.assertNotEqual("", error_of(os.rename, hidden, hidden + "x"))

    def test_our_xattrs_can_t_be_forged(self):
        path = os.path.join(self.drive.dir, "faux")
        sample.put(path, BIG)
        for name in ("trusted.sobre.content", "trusted.sobre.root"):
            self.assertEqual("EPERM", error_of(os.setxattr, path, name,
                                               b"x" * 48))
            self.assertNotEqual("", error_of(os.removexattr, path, name))
        self.assertEqual(BIG, tree.read_all(path))


def _add(scenario):
    setattr(Posix, "test_" + scenario.__name__,
            lambda self: self.same(scenario))


for _scenario in SCENARIOS:
    _add(_scenario)


class Cached(Posix):
    """The same without passthrough: the daemon reads and writes."""

    mount_options = ("--no-passthrough",)


if __name__ == "__main__":
    env.main()
