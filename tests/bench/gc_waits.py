#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What `sobre gc` writes, and how long others wait for it.

	PYTHONPATH=tests/support:tests/stress SOBRE=build/release/bin/sobre \\
		tests/bench/gc_waits.py [-g GIB] [-c CHUNKS] [-s SECONDS] [-o NAME] SHARE

A drive on an ext4 image holds GIB of files, packed; SHARE's documents give the
bytes. Its catalog then gets rows of other packs, as many as make CHUNKS chunks
in all: what a pass goes through is what it is for that many (5,000,000: 100 GB),
and what it rewrites is really there. 30 % of the files go, three fifths of every
second department, so that every second pack is rewritten. A reader, a writer whose
first writes copy up, and one who packs new files note how long each step takes:
SECONDS before, while gc runs, and as long after. Then a tenth more goes, and gc
runs alone: what the daemon writes is gc's.

NAME.csv and NAME.svg get the longest waits of each half second. Root."""
import argparse
import json
import os
import random
import sqlite3
import subprocess
import time

import documents
import drive
import env
import gc_load
import plot

PACK_CHUNKS = 12000  # 256 MiB by 21 KiB


def doomed(names, lot):
    """Of the files: three fifths of every second department, or of others."""
    rng = random.Random(lot)
    return [n for n in names if int(n[1:n.index("/")]) % 2 == lot
            and rng.random() < 0.6]


def rows_of_others(path, chunks):
    """Rows of packs that aren't there, up to `chunks` of them; not mounted."""
    db = sqlite3.connect(path, isolation_level=None)
    there = db.execute("SELECT count(*) FROM chunk").fetchone()[0]
    pack = db.execute("SELECT max(id) FROM pack").fetchone()[0] + 1
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -500000")
    db.execute("BEGIN")
    for first in range(there, chunks, PACK_CHUNKS):
        n = min(PACK_CHUNKS, chunks - first)
        db.execute("INSERT INTO pack VALUES(?, 1, 268435456, NULL)", (pack,))
        db.executemany(
            "INSERT INTO chunk(id, pack, extent_off, skip, len, refs,"
            " stored_bytes, users)"
            " VALUES(randomblob(16), ?, ?, ?, 21000, 1, 20000,"
            " x'010001000000')",
            ((pack, 256 + i // 12 * 200000, i % 12 * 21000)
             for i in range(n)))
        db.executemany("INSERT INTO content(id, size_bytes, pack, off)"
                       " VALUES(randomblob(16), 84000, ?, ?)",
                       ((pack, 256 + i * 700000) for i in range(n // 4)))
        pack += 1
    db.execute("COMMIT")
    counts = [db.execute("SELECT count(*) FROM " + table).fetchone()[0]
              for table in ("chunk", "content", "pack")]
    db.close()
    print("%d chunks, %d contents, %d packs" % tuple(counts), flush=True)


def inodes_of_others(path):
    """What uses them. Mounted, when no scan will miss their files any more."""
    db = sqlite3.connect(path, isolation_level=None, timeout=60)
    unused = db.execute("SELECT id FROM content WHERE NOT EXISTS(SELECT 1"
                        " FROM inode WHERE inode.content = content.id)"
                        ).fetchall()
    for first in range(0, len(unused), 100000):
        db.execute("BEGIN IMMEDIATE")
        db.executemany(
            "INSERT INTO inode(ino, btime_ns, mode, uid, gid, nlink,"
            " size_bytes, blocks, mtime_ns, ctime_ns, content,"
            " shown_ctime_ns, packed_ctime_ns, seen)"
            " VALUES(?, 1, 33188, 0, 0, 1, 84000, 0, 1, 1, ?, 0, 0, 0)",
            (((1 << 40) + first + i, id)
             for i, (id,) in enumerate(unused[first:first + 100000])))
        db.execute("COMMIT")
    db.close()


def written_bytes(pid):
    with open("/proc/%d/io" % pid) as f:
        for line in f:
            if line.startswith("write_bytes:"):
                return int(line.split()[1])
    return 0


class Bench:
    def __init__(self, options):
        self.options = options
        self.pool = documents.read_pool(options.share, 256 << 20)
        self.image = env.Image(size_mib=(3 * options.g + 8) << 10,
                               direct=True)
        self.drive = drive.Drive(self.image.mkdir("drive"))

    def path(self, name):
        return os.path.join(self.drive.dir, name)

    def prepare(self):
        lower = self.drive.lower
        self.names = documents.fill(lower, self.pool, self.options.g << 30)
        print("%d files" % len(self.names), flush=True)
        self.drive.start()
        self.drive.settled()
        for top in sorted({n.split("/")[0] for n in self.names}):
            subprocess.run([env.SOBRE, "pack", "--now", self.path(top)],
                           stdout=subprocess.DEVNULL, check=True)
        print("packed", flush=True)
        self.drive.stop()
        rows_of_others(os.path.join(lower, ".sobre", "catalog.db"),
                       self.options.c)
        self.drive.start()
        self.drive.settled(600)
        inodes_of_others(os.path.join(self.drive.below(), ".sobre",
                                      "catalog.db"))

    def remove(self, lot):
        gone = set(doomed(self.names, lot))
        for name in gone:
            os.unlink(self.path(name))
        self.names = [n for n in self.names if n not in gone]
        time.sleep(3)  # events are written
        return len(gone)

    def gc(self):
        """(what it says, from, to)"""
        start = time.monotonic()
        done = subprocess.run([env.SOBRE, "gc", "--grace", "0s", "--json",
                               self.drive.dir], stdout=subprocess.PIPE,
                              check=True)
        return json.loads(done.stdout), start, time.monotonic()

    def beside(self):
        files = [self.path(n) for n in self.names]
        random.Random(2).shuffle(files)
        with open("/proc/sys/vm/drop_caches", "w") as f:
            f.write("3")
        fresh = self.path("fresh")
        os.mkdir(fresh)
        half = len(files) // 2
        load = gc_load.Load(env.SOBRE, files[half:], files[:half], fresh,
                            self.pool)
        begun = time.monotonic()
        load.start()
        time.sleep(self.options.s)
        done, start, end = self.gc()
        time.sleep(self.options.s)
        load.stop()
        return load, done, begun, start, end

    def alone(self):
        pid = self.drive.status()["pid"]
        before = written_bytes(pid)
        done, start, end = self.gc()
        return done, end - start, written_bytes(pid) - before


def percentile(values, part):
    if not values:
        return float("nan")
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def waits(load, begun, start, end):
    print("| | steps | median | p99 | longest | steps | median | p99 | longest "
          "|\n|---|---|---|---|---|---|---|---|---|")
    for kind in gc_load.KINDS:
        cells = []
        samples = load.samples(kind)
        for part in ([took for at, took in samples if at < start],
                     [took for at, took in samples
                      if at > start and at - took < end]):
            cells += ["%d" % len(part)] + ["%.1f ms" % (1000 * v) for v in (
                percentile(part, 0.5), percentile(part, 0.99),
                percentile(part, 1))]
        print("| %s | %s |" % (kind, " | ".join(cells)))


def note(load, begun, start, end, name):
    """The longest of each half second, as CSV and as a picture."""
    rows = {}
    for kind in gc_load.KINDS:
        for at, took in load.samples(kind):
            row = rows.setdefault(int(2 * (at - begun)), {})
            row[kind] = max(row.get(kind, 0), 1000 * took)
    with open(name + ".csv", "w") as f:
        f.write("seconds,%s\n" % ",".join(k + "_ms" for k in gc_load.KINDS))
        for at in range(max(rows) + 1):
            f.write("%.1f,%s\n" % (at / 2, ",".join(
                "%.2f" % rows.get(at, {}).get(k, 0) for k in gc_load.KINDS)))
    plot.draw(name + ".csv", name + ".svg",
              (("read_ms", "open and read a packed file, longest, ms", 1),
               ("write_ms", "first write to a packed file, longest, ms", 1),
               ("pack_ms", "pack a new file, longest, ms", 1)),
              ("seconds", 1, "seconds"), "waits while gc runs",
              (start - begun, end - begun))


def say(title, done, seconds):
    live, wrote = done.get("bytes_live", 0), done["bytes_rewritten"]
    print("%s: %.1f s, %d packs condemned, %d unlinked, %.1f MiB live, %.1f "
          "written (%.3f)" % (title, seconds, done["packs_condemned"],
                              done["packs_unlinked"], live / 2 ** 20,
                              wrote / 2 ** 20, wrote / live if live else 0),
          flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("-g", type=int, default=6, metavar="GIB")
    p.add_argument("-c", type=int, default=5000000, metavar="CHUNKS")
    p.add_argument("-s", type=int, default=30, metavar="SECONDS")
    p.add_argument("-d", default="/var/tmp", metavar="WORKDIR")
    p.add_argument("-o", default="gc", metavar="NAME")
    p.add_argument("share")
    options = p.parse_args()
    options.share = os.path.realpath(options.share)
    options.o = os.path.realpath(options.o)
    os.environ["TMPDIR"] = os.path.realpath(options.d)
    env.start()
    b = Bench(options)
    b.prepare()
    print("%d files removed" % b.remove(0), flush=True)
    load, done, begun, start, end = b.beside()
    say("gc beside others", done, end - start)
    waits(load, begun, start, end)
    note(load, begun, start, end, options.o)
    print("%d more files removed" % b.remove(1), flush=True)
    done, seconds, wrote = b.alone()
    say("gc alone", done, seconds)
    print("the daemon wrote %.1f MiB, catalog and all" % (wrote / 2 ** 20))
    b.drive.stop()
    b.image.umount()


if __name__ == "__main__":
    main()
