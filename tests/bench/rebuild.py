#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""`sobre fsck --rebuild` of a drive whose catalog was deleted.

	PYTHONPATH=tests/support SOBRE=build/release/bin/sobre \\
		tests/bench/rebuild.py [-f FILES] [-p PACKED] [-d WORKDIR]

FILES names in folders of 1,000; PACKED of them hold 8 KiB each and are packed,
the others 64 bytes. Of both drives, that before and that after, are compared:
names, sizes, modes and times of all; the bytes of what is packed, and of every
tenth other file; what status and du count. The first rebuild gets a Ctrl-C after
5 s on a terminal, the second goes to its end. Root."""
import argparse
import hashlib
import json
import os
import pty
import random
import select
import signal
import subprocess
import time

import drive
import env
import measure

FOLDER_FILES = 1000


def fill(top, files, packed):
    rng = random.Random(1)
    for n in range(files):
        kind = "cold" if n < packed else "plain"
        folder = os.path.join(top, kind, "d%d" % (n // FOLDER_FILES))
        if n % FOLDER_FILES == 0 or n == packed:
            os.makedirs(folder, exist_ok=True)
        fd = os.open(os.path.join(folder, "f%d" % n),
                     os.O_CREAT | os.O_WRONLY, 0o644)
        os.write(fd, rng.randbytes(8192 if n < packed else 64))
        os.close(fd)


def tree_hash(top):
    """Of all names, sizes, modes and times."""
    found = subprocess.run(["find", top, "-printf", r"%P %s %m %U %G %T@ %b\n"],
                           stdout=subprocess.PIPE, check=True).stdout
    return hashlib.sha256(b"\n".join(sorted(found.splitlines()))).hexdigest()


def data_hash(top):
    whole = hashlib.sha256()
    for kind, every in (("cold", 1), ("plain", 10)):
        where = os.path.join(top, kind)
        for folder in sorted(os.listdir(where)):
            names = sorted(os.listdir(os.path.join(where, folder)))
            for name in names[::every]:
                with open(os.path.join(where, folder, name), "rb") as f:
                    whole.update(f.read())
    return whole.hexdigest()


def counts(d):
    """What the catalog and the ledger say, now that nothing moves."""
    status = d.status()
    du = d.json("du", d.dir)
    for path in du["paths"]:
        path.pop("shares_counted")  # when, if ever
    return {"status": {k: status.get(k) for k in ("files", "store", "savings")},
            "du": du}


def look(d):
    d.start()
    d.settled(1200)
    now = {"tree": tree_hash(d.dir), "data": data_hash(d.dir)}
    now.update(counts(d))
    d.stop()
    return now


def forget_catalog(lower):
    for end in ("", "-wal", "-shm"):
        try:
            os.unlink(os.path.join(lower, ".sobre", "catalog.db" + end))
        except FileNotFoundError:
            pass


def interrupted(argv, seconds):
    """Runs it on a terminal, with Ctrl-C after a while; exit status, and how
    many different things it showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    end = time.monotonic() + seconds
    shown = b""
    while True:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                shown += os.read(terminal, 65536)
            except OSError:
                break
        if end and time.monotonic() > end:
            os.write(terminal, b"\x03")
            end = 0
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status, shown.decode(errors="replace")


def differences(was, now, where=""):
    if isinstance(was, dict) and isinstance(now, dict):
        return [d for k in sorted(set(was) | set(now))
                for d in differences(was.get(k), now.get(k), where + "/" + k)]
    return [] if was == now else ["%s: %s, then %s" % (where, was, now)]


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("-f", type=int, default=1000000, metavar="FILES")
    p.add_argument("-p", type=int, default=100000, metavar="PACKED")
    p.add_argument("-d", default="/var/tmp", metavar="WORKDIR")
    o = p.parse_args()
    os.environ["TMPDIR"] = os.path.realpath(o.d)
    env.start()
    image = env.Image(size_mib=12288, mkfs=("-N", str(o.f + o.f // 8)))
    d = drive.Drive(image.mkdir("lower"))
    fill(d.lower, o.f, o.p)
    d.start()
    d.settled(1200)
    subprocess.run([env.SOBRE, "pack", "--now", os.path.join(d.dir, "cold")],
                   stdout=subprocess.DEVNULL, check=True)
    d.stop()
    was = look(d)
    print("made", flush=True)
    forget_catalog(d.lower)
    rebuild = [env.SOBRE, "fsck", "--rebuild", d.lower]
    status, shown = interrupted(rebuild, 5)
    print("Ctrl-C: exit status %d; it showed %d lines, the last: %s" % (
        status, shown.count("\r"), shown.strip().split("\r")[-1].strip()))
    cost = measure.run(rebuild)
    print("rebuild: %.1f s (CPU %.1f + %.1f), %.1f MiB at most" % (
        cost.wall, cost.user, cost.sys, cost.peak / 2 ** 20), flush=True)
    now = look(d)
    print("\n".join(differences(was, now)) or "all is as it was")
    print(json.dumps(now["status"]))
    image.umount()


if __name__ == "__main__":
    main()
