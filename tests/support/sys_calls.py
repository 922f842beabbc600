# SPDX-License-Identifier: EUPL-1.2
"""System calls that Python's os doesn't have, and acting as an agent."""
import ctypes
import errno
import fcntl
import mmap
import os
import pickle
import struct

import env

RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2
FALLOC_KEEP_SIZE = 1
FALLOC_PUNCH_HOLE = 2
FALLOC_COLLAPSE_RANGE = 8
FALLOC_ZERO_RANGE = 16
FALLOC_INSERT_RANGE = 32
_FICLONE = 0x40049409
_AT_FDCWD = -100
_AT_SYMLINK_FOLLOW = 0x400
_STATX_BTIME = 0x800


def renameat2(old, new, flags):
    env.check(env.libc().renameat2(_AT_FDCWD, os.fsencode(old), _AT_FDCWD,
                                   os.fsencode(new), flags), old)


def link_fd(fd, path):
    """Gives an O_TMPFILE file a name."""
    env.check(env.libc().linkat(_AT_FDCWD, b"/proc/self/fd/%d" % fd,
                                _AT_FDCWD, os.fsencode(path),
                                _AT_SYMLINK_FOLLOW), path)


def fallocate(fd, mode, off, length):
    call = env.libc().fallocate
    call.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64,
                     ctypes.c_int64]
    env.check(call(fd, mode, off, length), "fallocate")


def clone(source, target):
    """A new file that shares all blocks of `source`, as at one instant."""
    with open(source, "rb") as a, open(target, "xb") as b:
        fcntl.ioctl(b.fileno(), _FICLONE, a.fileno())


class Mapping:
    """A shared mapping, and nothing else: Python's keeps a descriptor too."""

    def __init__(self, fd, length):
        call = env.libc().mmap
        call.restype = ctypes.c_void_p
        call.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int,
                         ctypes.c_int, ctypes.c_int, ctypes.c_int64]
        self.length = length
        self.at = call(None, length, mmap.PROT_READ | mmap.PROT_WRITE,
                       mmap.MAP_SHARED, fd, 0)
        env.check(-1 if self.at == ctypes.c_void_p(-1).value else 0, "mmap")

    def store(self, off, data):
        assert off + len(data) <= self.length
        ctypes.memmove(self.at + off, data, len(data))

    def close(self):
        env.check(env.libc().munmap(ctypes.c_void_p(self.at),
                                    ctypes.c_size_t(self.length)), "munmap")


def birth_time(path):
    """statx's stx_btime as (seconds, nanoseconds); None when not told."""
    buf = ctypes.create_string_buffer(256)
    env.check(env.libc().statx(_AT_FDCWD, os.fsencode(path), 0x100,
                               _STATX_BTIME, buf), path)
    mask = struct.unpack_from("<I", buf.raw, 0)[0]
    if not mask & _STATX_BTIME:
        return None
    return struct.unpack_from("<qI", buf.raw, 80)


def error_of(call, *args, **kw):
    """The name of the errno that the call fails with; "" when it works."""
    try:
        got = call(*args, **kw)
        if hasattr(got, "close"):
            got.close()
        return ""
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e.errno))


def in_child(call, *args):
    """call(*args) in a forked child; its result or exception is ours."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            try:
                answer = (True, call(*args))
            except Exception as e:
                answer = (False, e)
            with os.fdopen(w, "wb") as f:
                f.write(pickle.dumps(answer))
        finally:
            os._exit(0)
    os.close(w)
    with os.fdopen(r, "rb") as f:
        answer = f.read()
    os.waitpid(pid, 0)
    ok, value = pickle.loads(answer)
    if not ok:
        raise value
    return value


def as_agent(uid, gid, groups, call, *args):
    """call(*args) in a child that is `uid`, with those further groups."""
    def become():
        os.setgroups(groups)
        os.setgid(gid)
        os.setuid(uid)
        return call(*args)
    return in_child(become)
