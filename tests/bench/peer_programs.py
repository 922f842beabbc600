# SPDX-License-Identifier: EUPL-1.2
"""The programs of peers.py: each packs a tree, gives it back, and says how many
bytes lie about meanwhile."""
import collections
import os
import re
import shutil
import subprocess

import drive
import env
import measure
import packed

MIB = 1 << 20

# bytes kept, the same as blocks of the disk, and three costs
Result = collections.namedtuple("Result", "stored disk pack read copied")

# init, pack and restore are bash; $TREE, $REPO and $OUT are directories.
Peer = collections.namedtuple("Peer", "title program init pack restore")

_BORG_INIT = 'borg init --encryption none "$REPO"'
_BORG_RESTORE = 'cd "$OUT" && exec borg extract "$REPO::a"'

PEERS = {
    "borg": Peer(
        "borg %s, zstd,3", "borg", _BORG_INIT,
        'cd "$TREE" && exec borg create -C zstd,3 "$REPO::a" .',
        _BORG_RESTORE),
    "borg-64k": Peer(
        "borg %s, chunks of 16/64/256 KiB", "borg", _BORG_INIT,
        'cd "$TREE" && exec borg create -C zstd,3 '
        '--chunker-params buzhash,14,18,16,4095 "$REPO::a" .',
        _BORG_RESTORE),
    "restic": Peer(
        "restic %s, repository 2", "restic",
        'restic init -r "$REPO" --repository-version 2',
        'cd "$TREE" && exec restic backup -q -r "$REPO" --compression auto .',
        'exec restic restore -q -r "$REPO" latest --target "$OUT"'),
    "bup": Peer(
        "bup %s", "bup", 'bup -d "$REPO" init',
        'bup -d "$REPO" index "$TREE" && '
        'exec bup -d "$REPO" save -q -n a --strip "$TREE"',
        'exec bup -d "$REPO" restore -q -C "$OUT" /a/latest/.'),
    "casync": Peer(
        "casync %s, zstd", "casync", 'mkdir "$REPO"',
        'exec casync make --compression=zstd --store="$REPO/default.castr" '
        '"$REPO/a.caidx" "$TREE"',
        'exec casync extract --store="$REPO/default.castr" "$REPO/a.caidx" '
        '"$OUT"'),
    "zbackup": Peer(
        "tar and zbackup %s, lzo", "zbackup",
        'zbackup --non-encrypted init "$REPO"',
        'tar -C "$TREE" -c . | zbackup --non-encrypted --silent '
        '-o bundle.compression_method=lzo backup "$REPO/backups/a"',
        'zbackup --non-encrypted --silent restore "$REPO/backups/a" | '
        'tar -C "$OUT" -x'),
}


def version(program):
    for option in ("--version", "version"):
        done = subprocess.run([program, option], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        found = re.search(r"(?:^|\w )(\d+(?:\.\d+)*)",
                          done.stdout.decode(errors="replace"))
        if found:
            return found[1]
    return ""


def sizes(top, counts=lambda path: True):
    """(bytes of the files that count, bytes of everything's blocks) below;
    what has several names is taken once."""
    seen, length, blocks = set(), 0, 0
    for where, _dirs, files in os.walk(top):
        for path in [where] + [os.path.join(where, name) for name in files]:
            st = os.lstat(path)
            if st.st_ino in seen:
                continue
            seen.add(st.st_ino)
            blocks += st.st_blocks * 512
            if path != where and counts(path):
                length += st.st_size
    return length, blocks


class Packer:
    """One of PEERS in directories of its own."""

    def __init__(self, peer, image, tree):
        self.peer = peer
        self.top = image.mkdir("peer")
        self.out = image.mkdir("peer/out")
        self.environ = dict(
            os.environ, TREE=tree, OUT=self.out, HOME=self.top,
            REPO=os.path.join(self.top, "repository"),
            BORG_BASE_DIR=os.path.join(self.top, "borg"),
            XDG_CACHE_HOME=os.path.join(self.top, "cache"),
            TMPDIR=self.top, RESTIC_PASSWORD="x")

    def run(self, script):
        packed.cold()
        return measure.run(["bash", "-euo", "pipefail", "-c", script],
                           env=self.environ, cwd=self.top)

    def round(self, same):
        self.run(self.peer.init)
        pack = self.run(self.peer.pack)
        os.sync()
        stored, disk = sizes(self.environ["REPO"])
        read = self.run(self.peer.restore)
        same(self.out)
        shutil.rmtree(self.top)
        return Result(stored, disk, pack, read, None)


class Sobre:
    """A drive on an ext4 image of its own."""

    def __init__(self, tree, logical):
        self.image = env.Image(size_mib=4 * logical // MIB + 2048)
        self.drive = drive.Drive(self.image.mkdir("drive"))
        self.tree = os.path.join(self.drive.dir, "tree")
        env.run("cp", "-a", tree, self.tree, timeout=3600)

    def asked(self, *argv):
        """(of a program that uses the drive and the daemon, of the daemon)"""
        pid = self.drive.status()["pid"]
        packed.cold()
        served, client = measure.daemon(pid, lambda: measure.run(argv))
        return measure.add(served, client), served

    def start(self):
        self.drive.start()
        self.drive.settled(3600)

    def pack(self, path):
        return self.asked(env.SOBRE, "pack", "--now", path)

    def stored(self):
        """Of packs, catalog and what isn't packed; blocks are all that the
        lower takes, with stubs and folders."""
        state = os.path.join(self.drive.lower, ".sobre")
        return sizes(self.drive.lower, lambda path: path.startswith(state) or
                     not self.drive.is_packed(path))

    def round(self, same):
        self.start()
        pack, _daemon = self.pack(self.tree)
        self.drive.stop()
        stored, disk = self.stored()
        self.start()
        read, _daemon = self.asked("sh", "-c", 'find "$0" -type f -print0 | '
                                   'xargs -0 cat >/dev/null', self.tree)
        same(self.tree)
        out = self.image.mkdir("out")
        copied, _daemon = self.asked("cp", "-a", self.tree + "/.", out)
        same(out)
        return Result(stored, disk, pack, read, copied)

    def second_copy(self):
        """The daemon's cost of packing all once more, which it knows."""
        copy = self.tree + ".copy"
        env.run("cp", "-a", self.tree, copy, timeout=3600)
        _both, served = self.pack(copy)
        return served

    def end(self):
        self.drive.stop()
        self.image.umount()
        os.unlink(self.image.file)
