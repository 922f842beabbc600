# SPDX-License-Identifier: EUPL-1.2
"""xfstests' generic tests: ext4 on loop devices, and FSTYP=fuse with a mount
helper for sobre over two directories of ext4."""
import os
import re
import select
import signal
import subprocess

import drive
import env
import places

NAME = "xfstests"
UNIT = "tests"
LINE = re.compile(r"^(generic/\d+)\s+(?:\d+s \.\.\. )?(.*)$")
NOT_RUN = re.compile(r"\[not run\]\s*(.*)")
CHANGING = re.compile(r"sobre#[-0-9a-f]+|/dev/loop\d+|/\S*/xfstests-\S*")

# What mount(8) calls with SOURCE DIRECTORY -o OPTIONS. The source is what
# the mount table shows later. The daemon of an unmount may still be about.
HELPER = """#!/bin/sh
options=,$4,
mountpoint=$2
case $options in
*,remount,*) exec mount -i -o "$4" "$mountpoint" ;;
esac
[ "$1" = "{test}" ] && lower={lower_test} || lower={lower_scratch}
set -- "$lower" "$mountpoint"
case $options in
*,ro,*) set -- --read-only "$@" ;;
esac
for i in $(seq 200); do
	said=$({sobre} mount {options} "$@" 2>&1) && said= && break
	sleep 0.1
done
[ -z "$said" ] || {{
	echo "$said" >&2
	exit 32
}}
# What the mount point has of its own, as an administrator would set it.
for option in nosuid nodev noexec noatime nodiratime strictatime; do
	case $options in
	*,$option,*) mount -i -o "remount,bind,$option" "$mountpoint" ||
		exit 32 ;;
	esac
done
"""
# It shows the type with its subtype, which the suite doesn't expect.
DF = """#!/bin/sh
/usr/bin/df "$@" | sed 's/ fuse\\.sobre / fuse /'
"""


def missing(checkout):
    for name in ("check", "src/aio-dio-regress/aiocp", "ltp/fsx"):
        if not os.access(os.path.join(checkout, name), os.X_OK):
            return "no %s in %s: not built" % (name, checkout)
    return None


def loop(image):
    """The device under a mounted image, and no mount any more."""
    env.run("umount", image.dir)
    env.taken_down(image.umount)
    done = env.run("losetup", "--show", "-f", image.file)
    device = done.stdout.strip()
    env.on_end(lambda: env.run("losetup", "-d", device, check=False))
    return device


def uuid_of(lower):
    """Makes it a drive; what the mount table calls it."""
    with drive.Drive(lower) as d:
        return "sobre#" + d.uuid()


def native(args):
    devices = [loop(env.Image("ext4", args.size * 1024)) for _ in range(2)]
    return {"FSTYP": "ext4", "TEST_DEV": devices[0],
            "SCRATCH_DEV": devices[1]}, ""


def mounted(args, work):
    image = [env.Image("ext4", args.size * 1024) for _ in range(2)]
    lower = [i.mkdir("fs") for i in image]
    names = [uuid_of(d) for d in lower]
    places.sbin_with("mount.fuse.sobre", HELPER.format(
        test=names[0], lower_test=lower[0], lower_scratch=lower[1],
        sobre=env.SOBRE, options=" ".join(args.mount_option)))
    with open(os.path.join(work, "df"), "w") as f:
        f.write(DF)
    os.chmod(os.path.join(work, "df"), 0o755)
    return {"FSTYP": "fuse", "FUSE_SUBTYP": ".sobre", "TEST_DEV": names[0],
            "SCRATCH_DEV": names[1]}, work + ":"


def tests_of(args):
    groups = set((args.groups or "quick").split(","))
    found = []
    with open(os.path.join(args.checkout, "tests/generic/group.list")) as f:
        for line in f:
            name, *of = line.split("#")[0].split() or [""]
            test = "generic/" + name
            if name and (test in args.tests if args.tests
                         else groups & set(of)):
                found.append(test)
    return [t for t in found if t not in args.leave_out]


class Check:
    """One call of ./check; `on_line` sees each test as it ends."""

    def __init__(self, checkout, environ, tests):
        self.p = subprocess.Popen(
            ["./check", *tests], cwd=checkout,
            env=dict(os.environ, **environ), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True)
        self.killed = False

    def lines(self, seconds):
        """Lines as they come; ends it when none does for so long."""
        out, fd = b"", self.p.stdout.fileno()
        while True:
            if not select.select([fd], [], [], seconds)[0]:
                self.killed = True
                os.killpg(self.p.pid, signal.SIGKILL)
                break
            more = os.read(fd, 65536)
            if not more:
                break
            *whole, out = (out + more).split(b"\n")
            for line in whole:
                yield line.decode(errors="replace")
        self.p.stdout.close()
        self.p.wait()


def status_of(text):
    not_run = NOT_RUN.search(text)
    if not_run:
        return "notrun", CHANGING.sub("*", not_run[1])
    if re.fullmatch(r"\s*\d+s", text):
        return "pass", ""
    why = re.sub(r"\(see .*", "", text).strip()
    return "fail", why


def run(side, args):
    places.users()
    work = env.tmp("xfstests")
    config, path = native(args) if side == "native" else mounted(args, work)
    for name in ("TEST_DIR", "SCRATCH_MNT", "RESULT_BASE"):
        config[name] = os.path.join(work, name.lower())
        os.mkdir(config[name], 0o777)
    if args.keep:
        config["RESULT_BASE"] = os.path.join(args.keep, side)
        os.makedirs(config["RESULT_BASE"], exist_ok=True)
    config["HOST_OPTIONS"] = os.path.join(work, "config")
    config["PATH"] = path + os.environ["PATH"]
    with open(config["HOST_OPTIONS"], "w"):
        pass
    results, left = {}, tests_of(args)
    while left:
        left = some(args, config, left, results)
    for name in ("TEST_DIR", "SCRATCH_MNT"):
        env.run("umount", "-l", config[name], check=False)
    return results


def some(args, config, tests, results):
    """Runs till the end or a test that hangs; returns what is left."""
    check = Check(args.checkout, config, tests)
    for line in check.lines(args.timeout):
        found = LINE.match(line)
        if found and found[2]:
            results[found[1]] = status_of(found[2])
            print(args.suite, config["FSTYP"], line, flush=True)
    left = [t for t in tests if t not in results]
    if left and check.killed:
        results[left[0]] = ("timeout", "")
        for name in ("SCRATCH_MNT",):
            env.run("umount", "-l", config[name], check=False)
        return left[1:]
    if len(left) == len(tests):
        raise SystemExit("run: ./check ran nothing")
    return left
