# SPDX-License-Identifier: EUPL-1.2
"""What a directory tree holds, and how two of them differ."""
import hashlib
import os
import stat

ALL = ("type", "mode", "uid", "gid", "size", "nlink", "mtime", "ctime",
       "blocks", "rdev", "link", "xattrs", "data", "holes")
# Of two trees made by the same steps: inode numbers and clocks differ.
SAME_STEPS = ("type", "mode", "uid", "gid", "size", "nlink", "rdev", "link",
              "xattrs", "data")
# What packing may never change, seen through the mount.
UNCHANGED = ALL


def read_all(path):
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NOATIME)
    try:
        parts = []
        while True:
            part = os.read(fd, 1 << 20)
            if not part:
                return b"".join(parts)
            parts.append(part)
    finally:
        os.close(fd)


def extents(path):
    """[(start, end)] of the data, by SEEK_DATA and SEEK_HOLE."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NOATIME)
    try:
        size = os.fstat(fd).st_size
        found, at = [], 0
        while at < size:
            try:
                start = os.lseek(fd, at, os.SEEK_DATA)
            except OSError:
                break
            at = os.lseek(fd, start, os.SEEK_HOLE)
            found.append((start, at))
        return found
    finally:
        os.close(fd)


def xattrs(path):
    found = {}
    for name in os.listxattr(path, follow_symlinks=False):
        found[name] = os.getxattr(path, name, follow_symlinks=False)
    return found


def describe(path, what=ALL):
    st = os.lstat(path)
    d = {"type": stat.S_IFMT(st.st_mode), "mode": stat.S_IMODE(st.st_mode),
         "uid": st.st_uid, "gid": st.st_gid, "mtime": st.st_mtime_ns,
         "ctime": st.st_ctime_ns, "nlink": st.st_nlink}
    if "xattrs" in what:
        d["xattrs"] = xattrs(path)
    if stat.S_ISLNK(st.st_mode):
        d["link"] = os.readlink(path)
    elif stat.S_ISREG(st.st_mode):
        d["size"] = st.st_size
        d["blocks"] = st.st_blocks
        if "holes" in what:
            d["holes"] = extents(path)
        if "data" in what:
            d["data"] = hashlib.sha256(read_all(path)).hexdigest()
    elif stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
        d["rdev"] = st.st_rdev
    return {k: v for k, v in d.items() if k in what}


def snapshot(top, what=ALL, skip=(b".sobre", b"lost+found")):
    """{path below `top`, in bytes: description}; "" is the top itself."""
    top = os.fsencode(top)
    found = {b"": describe(top, what)}
    stack = [b""]
    while stack:
        at = stack.pop()
        for name in os.listdir(os.path.join(top, at)):
            if at == b"" and name in skip:
                continue
            path = os.path.join(at, name)
            found[path] = describe(os.path.join(top, path), what)
            if stat.S_ISDIR(os.lstat(os.path.join(top, path)).st_mode):
                stack.append(path)
    return found


def differences(a, b, ignore=()):
    """Lines, empty when the two snapshots are equal."""
    lines = []
    for path in sorted(set(a) | set(b)):
        if path not in a or path not in b:
            lines.append("%r: only in the %s" % (
                path, "first" if path in a else "second"))
            continue
        for key in sorted(set(a[path]) | set(b[path])):
            x, y = a[path].get(key), b[path].get(key)
            if key not in ignore and x != y:
                lines.append("%r: %s: %r, %r" % (path, key, x, y))
    return lines


def linked(top):
    """Which names share an inode: a set of sorted groups."""
    groups = {}
    top = os.fsencode(top)
    for at, _dirs, files in os.walk(top):
        for name in files:
            path = os.path.join(at, name)
            groups.setdefault(os.lstat(path).st_ino, []).append(
                os.path.relpath(path, top))
    return {tuple(sorted(g)) for g in groups.values() if len(g) > 1}


# Sealing it moves the top's ctime; in the lower, .sobre counts as a link.
_TOP_MOVES = ("ctime", "nlink")


def assert_same(case, a, b, ignore=(), what=""):
    """The tops' ctimes and link counts are not compared."""
    a, b = dict(a), dict(b)
    for s in (a, b):
        if b"" in s:
            s[b""] = {k: v for k, v in s[b""].items() if k not in _TOP_MOVES}
    lines = differences(a, b, ignore)
    if lines:
        more = len(lines) - 20
        text = "\n".join(lines[:20])
        case.fail("%s: trees differ\n%s%s" % (
            what, text, "\n… and %d more" % more if more > 0 else ""))
