# SPDX-License-Identifier: EUPL-1.2
"""A drive in chaos mode (chaos.c), and what it says it has done."""
import re

import drive
import env

_TOLD = re.compile(r"chaos: packed (\d+) .*?copied up (\d+), "
                   r"collected (\d+), failed (\d+)")


def mount(lower, seed, options=()):
    return drive.Drive(lower, sobre=env.SOBRE_FAULT,
                       options=("--chaos", *options),
                       environ={"SOBRE_CHAOS_SEED": str(seed)}).start()


def told(d):
    """(packed, copied up, collected, failed), over all its lives."""
    sums = [0, 0, 0, 0]
    for life in d.said().split("chaos: seed ")[1:]:
        last = _TOLD.findall(life)[-1:]
        sums = [a + int(b) for a, b in zip(sums, *last)] if last else sums
    return tuple(sums)
