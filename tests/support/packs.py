# SPDX-License-Identifier: EUPL-1.2
"""What packs hold, read by docs/format/pack.md alone: nothing of ours helps."""
import pathlib
import struct

RECORD = struct.Struct("<4s4B4IQ")


def span_of(body_len):
    return (RECORD.size + body_len + 7) & ~7


def parts(span, lengths):
    """Each chunk's part of its extent: they add up to it."""
    raw, before, done = sum(lengths), 0, 0
    out = []
    for length in lengths:
        done += length
        upto = span * done // raw
        out.append(upto - before)
        before = upto
    return out


def extent(body, n, span, stored):
    entries = [struct.unpack_from("<16sI", body, 20 * i) for i in range(n)]
    for (chunk, _), part in zip(entries, parts(span, [e[1] for e in entries])):
        stored[chunk] = part


def recipe(body, n):
    chunks = []
    for i in range(n):
        length, chunk = struct.unpack_from("<I16s", body, 24 + 20 * i)
        if length:
            chunks.append(chunk)
    return chunks


def read(packs_dir):
    """(chunk: its bytes in packs), (content: its chunks)"""
    stored, recipes = {}, {}
    for path in sorted(pathlib.Path(packs_dir).glob("??/*.pack"),
                       key=lambda p: int(p.stem)):
        data, at = path.read_bytes(), 256
        while at + RECORD.size <= len(data):
            magic, kind, _, _, _, body_len, _, n, _, _ = \
                RECORD.unpack_from(data, at)
            if magic != b"SBR1":
                raise ValueError("%s: no record at %d" % (path, at))
            body = data[at + RECORD.size:at + RECORD.size + body_len]
            if kind == 1:
                extent(body, n, span_of(body_len), stored)
            else:
                recipes[body[:16]] = recipe(body, n)
            at += span_of(body_len)
    return stored, recipes
