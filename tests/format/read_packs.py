#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Every content of a drive, from its packs alone and with nothing of ours: what
docs/format/pack.md says, and no more.

	read_packs.py LOWER/.sobre/packs OUT

Writes each content to OUT under its id, in hexadecimal; a packed file's
trusted.sobre.content names it in bytes 16 to 31 (stub.md). Needs the program
zstd or one of Python's modules for it. With libxxhash, whose package is
libxxhash0 in Debian, records and contents are verified; without it only what
doesn't fit together is found. Exit status 1: a content couldn't be given."""
import argparse
import collections
import ctypes
import ctypes.util
import functools
import importlib
import mmap
import pathlib
import struct
import subprocess
import sys

PACK_HEADER = 256
MAGIC = b"SBR1"
RECORD = struct.Struct("<4s4B4IQ")
EXTENT, RECIPE = 1, 2
RAW, ZSTD = 0, 1

Record = collections.namedtuple("Record", "kind codec version n raw_len body")
Place = collections.namedtuple("Place", "pack at skip length")


class Damage(Exception):
    pass


# --- what isn't in the standard library


def decompressor():
    """A function: one frame in, its bytes out."""
    for name in ("compression.zstd", "zstandard", "pyzstd"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        if name == "zstandard":
            return lambda frame, size: module.ZstdDecompressor().decompress(
                frame, size)
        return lambda frame, size: module.decompress(frame)
    return lambda frame, size: subprocess.run(
        ["zstd", "-dcq"], input=frame, stdout=subprocess.PIPE,
        check=True).stdout


class Hash128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]

    def canonical(self):
        return struct.pack(">QQ", self.high, self.low)


class Hashes:
    """libxxhash."""

    def __init__(self, library):
        self.lib = lib = ctypes.CDLL(library)
        size, where = ctypes.c_size_t, ctypes.c_void_p
        lib.XXH3_64bits.argtypes = ctypes.c_char_p, size
        lib.XXH3_64bits.restype = ctypes.c_uint64
        lib.XXH3_64bits_withSeed.argtypes = (ctypes.c_char_p, size,
                                             ctypes.c_uint64)
        lib.XXH3_64bits_withSeed.restype = ctypes.c_uint64
        lib.XXH3_createState.restype = where
        lib.XXH3_freeState.argtypes = where,
        lib.XXH3_128bits_reset_withSecret.argtypes = (where, ctypes.c_char_p,
                                                      size)
        lib.XXH3_128bits_update.argtypes = where, ctypes.c_char_p, size
        lib.XXH3_128bits_digest.argtypes = where,
        lib.XXH3_128bits_digest.restype = Hash128

    def of(self, data):
        return self.lib.XXH3_64bits(data, len(data))

    def of_record(self, header, body):
        seed = self.of(header[:24] + bytes(8))
        return self.lib.XXH3_64bits_withSeed(body, len(body), seed)


class Keyed:
    """XXH3-128 with the drive's secret, of bytes that come one by one."""

    def __init__(self, hashes, secret):
        self.lib = hashes.lib
        self.secret = secret  # the state points to it
        self.state = self.lib.XXH3_createState()
        self.lib.XXH3_128bits_reset_withSecret(self.state, secret, len(secret))

    def update(self, data):
        self.lib.XXH3_128bits_update(self.state, data, len(data))

    def digest(self):
        return self.lib.XXH3_128bits_digest(self.state).canonical()

    def __del__(self):
        self.lib.XXH3_freeState(self.state)


def find_hashes():
    """None without the library."""
    library = ctypes.util.find_library("xxhash")
    return Hashes(library) if library else None


# --- records


def table(body, n):
    """An extent's chunks: (id, length) each"""
    return list(struct.iter_unpack("<16sI", body[:20 * n]))


def is_extent(record):
    payload = len(record.body) - 20 * record.n
    if not 1 <= record.n <= 4096 or not 1 <= payload <= record.raw_len:
        return False
    lengths = [length for _id, length in table(record.body, record.n)]
    return (sum(lengths) == record.raw_len <= 262144 and
            all(1 <= length <= 131072 for length in lengths))


def size_of(body):
    """Of the content whose recipe that is."""
    return struct.unpack_from("<Q", body, 16)[0]


def entries(body):
    """A recipe's parts: (length, chunk) each, for a hole (length, None)"""
    for length, chunk in struct.iter_unpack("<I16s", body[24:]):
        if length:
            yield length, chunk
        else:
            yield struct.unpack_from("<Q", chunk)[0], None


def is_recipe(record):
    if not len(record.body) == record.raw_len == 24 + 20 * record.n <= 1 << 28:
        return False
    return size_of(record.body) == sum(
        length for length, _chunk in entries(record.body))


def record_at(data, at, hashes):
    """The sound record there; None where there is none."""
    header = data[at:at + RECORD.size]
    if len(header) != RECORD.size or header[:4] != MAGIC:
        return None
    _, kind, codec, version, flags, length, raw_len, n, zero, checksum = \
        RECORD.unpack(header)
    body = data[at + RECORD.size:at + RECORD.size + length]
    record = Record(kind, codec, version, n, raw_len, body)
    is_kind = {EXTENT: is_extent, RECIPE: is_recipe}.get(kind)
    if (flags, zero) != (0, 0) or len(body) != length or \
            is_kind is None or not is_kind(record):
        return None
    if hashes and hashes.of_record(header, body) != checksum:
        return None
    return record


def next_magic(data, at):
    """Where a record may begin, from there on; -1 at the end."""
    at = data.find(MAGIC, at)
    while at > 0 and at % 8:
        at = data.find(MAGIC, at + 1)
    return at


def records(data, hashes):
    """(offset, record) of all that is sound; what isn't is passed over."""
    at = next_magic(data, PACK_HEADER)
    while at > 0:
        record = record_at(data, at, hashes)
        step = 8
        if record is not None:
            yield at, record
            step = (RECORD.size + len(record.body) + 7) & ~7
        at = next_magic(data, at + step)


# --- all packs


class Packs:
    def __init__(self, top, hashes):
        self.hashes = hashes
        self.decompress = decompressor()
        self.secret = None
        self.data = []
        self.chunks = {}  # id: where it is, the last place last
        self.recipes = {}
        self.decoded = functools.lru_cache(64)(self.decode)
        for path in sorted(pathlib.Path(top).glob("??/*.pack"),
                           key=lambda path: int(path.stem)):
            self.add(path)

    def add(self, path):
        if not path.stat().st_size:
            return
        with open(path, "rb") as f:
            data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        self.data.append(data)
        self.look_for_secret(data[:PACK_HEADER])
        for at, record in records(data, self.hashes):
            if record.kind == EXTENT:
                self.add_extent(at, record)
            else:
                self.recipes[record.body[:16]] = record.body

    def look_for_secret(self, header):
        """One sound header of them all is enough."""
        if self.hashes and len(header) == PACK_HEADER and \
                struct.pack("<Q", self.hashes.of(header[:248])) == header[248:]:
            self.secret = header[40:232]

    def add_extent(self, at, record):
        skip = 0
        for chunk, length in table(record.body, record.n):
            place = Place(len(self.data) - 1, at, skip, length)
            self.chunks.setdefault(chunk, []).append(place)
            skip += length

    def decode(self, pack, at):
        """An extent's chunks, one after the other."""
        record = record_at(self.data[pack], at, self.hashes)
        payload = record.body[20 * record.n:]
        if record.version != 1 or record.codec not in (RAW, ZSTD):
            raise Damage("extent at %d: codec %d, version %d" % (
                at, record.codec, record.version))
        if record.codec == ZSTD:
            try:
                payload = self.decompress(payload, record.raw_len)
            except Exception as e:  # each decoder has its own
                raise Damage("extent at %d: %s" % (at, e))
        if len(payload) != record.raw_len:
            raise Damage("extent at %d: %d bytes" % (at, len(payload)))
        return payload

    def chunk(self, chunk, length):
        """From the last place where it can be read."""
        for place in reversed(self.chunks.get(chunk, [])):
            try:
                extent = self.decoded(place.pack, place.at)
            except Damage:
                continue
            if place.length == length:
                return extent[place.skip:place.skip + length]
        raise Damage("no chunk %s" % chunk.hex())

    def write(self, recipe, out):
        """Its bytes, holes as holes. Returns what its id should be."""
        check = self.keyed()
        holes, at = b"", 0
        for length, chunk in entries(recipe):
            if chunk is None:
                holes += struct.pack("<QQ", at, length)
                out.seek(length, 1)
            else:
                data = self.chunk(chunk, length)
                out.write(data)
                if check:
                    check.update(data)
            at += length
        out.truncate(at)
        return self.content_id(check.digest(), holes, at) if check else None

    def keyed(self):
        return Keyed(self.hashes, self.secret) if self.secret else None

    def content_id(self, data, holes, size):
        if not holes:
            return data
        of_holes, both = self.keyed(), self.keyed()
        of_holes.update(holes)
        both.update(data + of_holes.digest() + struct.pack("<Q", size))
        return both.digest()

    def extract(self, content, path):
        try:
            with open(path, "wb") as out:
                found = self.write(self.recipes[content], out)
            if found not in (None, content):
                raise Damage("its bytes make %s" % found.hex())
        except Damage:
            path.unlink()
            raise


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("packs", type=pathlib.Path)
    p.add_argument("out", type=pathlib.Path)
    options = p.parse_args()
    if not options.packs.is_dir() or not options.out.is_dir():
        p.error("both must be folders")
    packs = Packs(options.packs, find_hashes())
    if not packs.secret:
        print("contents are not verified: no libxxhash, or no sound header",
              file=sys.stderr)
    failed = 0
    for content in packs.recipes:
        try:
            packs.extract(content, options.out / content.hex())
        except Damage as e:
            failed += 1
            print("%s: %s" % (content.hex(), e), file=sys.stderr)
    print("%d contents, %d of them damaged" % (len(packs.recipes), failed))
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
