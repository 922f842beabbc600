# SPDX-License-Identifier: EUPL-1.2
"""The Linux Test Project: its file-system stress programs and those of its
system call tests that are about files and work in $TMPDIR."""
import glob
import os
import re

import places

NAME = "ltp"
UNIT = "tests"
BIN = "installed/testcases/bin"

CALLS = """
access chdir chmod chown chroot close close_range copy_file_range creat dup
dup2 dup3 execl execle execlp execv execve execveat execvp faccessat faccessat2
fadvise fallocate fanotify fchdir fchmod fchmodat fchmodat2 fchown fchownat
fcntl fdatasync fgetxattr file_attr flistxattr flock fpathconf fremovexattr
fsetxattr fstat fstatat fstatfs fsync ftruncate futimesat getcwd getdents
getxattr inotify ioctl lchown lgetxattr link linkat listxattr llistxattr
llseek lremovexattr lseek lstat mkdir mkdirat mknod mknodat mmap mprotect
mremap msync munmap name_to_handle_at nftw open open_by_handle_at openat
openat2 pathconf pread preadv preadv2 pwrite pwritev pwritev2 read readahead
readdir readlink readlinkat readv realpath removexattr rename renameat
renameat2 rmdir select sendfile setfsgid setfsuid setxattr splice stat statfs
statvfs statx symlink symlinkat sync sync_file_range syncfs tee truncate umask
unlink unlinkat ustat utime utimensat utimes vmsplice write writev io_submit
io_setup io_getevents io_uring landlock mincore madvise
""".split()

# These work in file systems that they make themselves.
OWN_DEVICE = re.compile(
    r"\.(all_filesystems|mount_device|format_device|needs_device|needs_rofs"
    r"|mntpoint)\b|tst_acquire_device")
# These are about /proc and the like, or other file systems.
NOT_OURS = ("proc01", "read_all_dev", "read_all_proc", "read_all_sys", "isofs",
            "quota_remount_test01", "fs_fill", "binfmt_misc01",
            "binfmt_misc02", "squashfs01")
# Stress by the clock: ten seconds each do for a comparison.
LONG = re.compile(r"(-L |-i (?=\d+s))(?:\d{3,}|[2-9]\d)")
FAILED = re.compile(r"\b(?:TFAIL|TBROK)\b\s*:?\s*(.*)")
NOT_HERE = re.compile(r"\bTCONF\b\s*:?\s*(.*)")
CHANGING = re.compile(r"/[^ ]*/LTP_[^/ ]*|0x[0-9a-f]+|\b[0-9]{5,}\b")


def missing(checkout):
    if not os.access(os.path.join(checkout, BIN, "rename01"), os.X_OK):
        return "no %s/rename01 in %s: not installed there" % (BIN, checkout)
    return None


def sources(checkout):
    """The source of each program, by name, and the folder it is in."""
    found = {}
    for part in ("fs", "syscalls"):
        for path in glob.glob(os.path.join(
                checkout, "testcases/kernel", part, "**/*.[ch]"),
                recursive=True):
            found[os.path.basename(path)[:-2]] = path
    return found


def about_files(group, command, found):
    program = command.split()[0]
    path = found.get(program)
    if path is None:
        return False
    if group == "syscalls" and path.split("/")[-2] not in CALLS and \
            path.split("/")[-3] not in CALLS:
        return False
    with open(path, errors="replace") as f:
        return not OWN_DEVICE.search(f.read())


def tests_of(args):
    return list(choose(args))


def choose(args):
    found = sources(args.checkout)
    for group in (args.groups or "fs,syscalls").split(","):
        with open(os.path.join(args.checkout, "runtest", group)) as f:
            lines = [line.split(None, 1) for line in f
                     if line.strip() and not line.startswith("#")]
        for name, command in lines:
            if args.tests and name not in args.tests:
                continue
            if name in args.leave_out or name in NOT_OURS:
                continue
            if group == "fs":
                yield name, LONG.sub(r"\g<1>10", command)
            elif about_files(group, command, found):
                yield name, command


def result_of(status, out):
    def first(what):
        got = what.search(out)
        return CHANGING.sub("*", got[1].strip()) if got else ""

    if status is None:
        return "timeout", ""
    if status & 3 or status < 0 or status not in (0, 4, 32, 36):
        return "fail", first(FAILED) or "exit %d" % status
    if status & 32 and "TPASS" not in out:
        return "notrun", first(NOT_HERE)
    return ("partly", first(NOT_HERE)) if NOT_HERE.search(out) \
        else ("pass", "")


def run(side, args):
    places.users()
    place = places.Directory(side, args.size, args.mount_option)
    path = os.path.join(args.checkout, BIN)
    environ = {"TMPDIR": place.dir, "LTPROOT": os.path.dirname(
        os.path.dirname(path)), "PATH": path + ":" + os.environ["PATH"],
        "LTP_COLORIZE_OUTPUT": "n", "LTP_TIMEOUT_MUL": "3"}
    results = {}
    for name, command in tests_of(args):
        # As many files as a login session may open.
        status, out = places.run_test(
            ["sh", "-c", "ulimit -S -n 1024; " + command], place.dir,
            args.timeout, environ)
        results[name] = result_of(status, out)
        print("ltp", side, name, *results[name], flush=True)
        if args.keep:
            with open(os.path.join(args.keep, side + "-" + name), "w") as f:
                f.write(out)
    place.close()
    return results
