# SPDX-License-Identifier: EUPL-1.2
"""Many files whose bytes are those of documents, no two of them alike."""
import os
import random

FOLDER_FILES = 100
DEPARTMENT_FILES = 4000


def stamped(pool, start, size, serial):
    """Bytes as documents have them, but no 4 KiB of them twice anywhere."""
    data = bytearray(pool[start:start + size])
    for n, at in enumerate(range(0, size - 8, 4096)):
        data[at:at + 8] = (serial << 16 | n).to_bytes(8, "little")
    return data


def read_pool(share, size):
    pool = bytearray()
    for where, dirs, files in os.walk(share):
        dirs.sort()
        for name in sorted(files):
            with open(os.path.join(where, name), "rb") as f:
                pool += f.read()
            if len(pool) > size:
                return memoryview(bytes(pool[:size]))
    raise SystemExit("the share is too small")


def fill(top, pool, total):
    """Files of 8 KiB to 1 MiB, small ones more often; their names, in order."""
    rng = random.Random(1)
    names, done = [], 0
    while done < total:
        folder = os.path.join(top, "p%d" % (len(names) // DEPARTMENT_FILES),
                              "d%d" % (len(names) // FOLDER_FILES))
        os.makedirs(folder, exist_ok=True)
        size = int(8192 * 128 ** rng.random())
        name = os.path.join(folder, "f%07d" % len(names))
        with open(name, "wb") as f:
            f.write(stamped(pool, rng.randrange(len(pool) - size),
                                    size, len(names)))
        names.append(os.path.relpath(name, top))
        done += size
    return names
