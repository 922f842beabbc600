# SPDX-License-Identifier: EUPL-1.2
"""A drive with departments and a clock of its own, and what they should keep
by tests/support/holdings.py."""
import calendar
import json
import os
import random
import time
import unittest
from fractions import Fraction

import drive
import env
import holdings

HOUR = 3600
START = calendar.timegm((2026, 9, 1, 0, 0, 0))
END = calendar.timegm((2026, 10, 1, 0, 0, 0))
DEPARTMENTS = (("urb", "/Ville/Urbanisme"), ("dej", "/Ville/Jeunesse"),
               ("com", "/Ville"))
# drive.yaml; the defaults of docs/design/footprint.md for the rest.
PRICE, CARBON, PUE = Fraction("0.2"), Fraction(40), Fraction("1.5")
SETS = 2 ** (len(DEPARTMENTS) + 1)  # each shared one is rounded
W_PER_TB = Fraction("0.65") * Fraction("2.5") * Fraction("2.4")
CONFIG = """\
departments:
  - { id: urb, name: Urbanisme, paths: ["/Ville/Urbanisme"] }
  - { id: dej, name: Jeunesse, paths: ["/Ville/Jeunesse"] }
  - { id: com, name: Commune, paths: ["/Ville"] }
energy: { price: 0.2 EUR/kWh, carbon: 40 g/kWh, pue: 1.5 }
"""


def seeded(seed, size):
    """Bytes that neither compress nor repeat."""
    return random.Random(seed).randbytes(size)


class LedgerCase(unittest.TestCase):
    start = START

    def settings(self, work):
        """drive.yaml; files it names go to `work`."""
        return CONFIG

    def setUp(self):
        self.image = env.Image("ext4", 512)
        self.addCleanup(self.image.umount)
        self.lower = self.image.mkdir("drive")
        for _, path in DEPARTMENTS:
            os.makedirs(self.lower + path, exist_ok=True)
        work = env.tmp("month")
        self.clock = os.path.join(work, "clock")
        self.config = os.path.join(work, "drive.yaml")
        self.out = os.path.join(work, "out")
        with open(self.config, "w") as f:
            f.write(self.settings(work))
        self.at(self.start)
        self.drive = self.mount()
        self.integral = holdings.Integral()

    def mount(self):
        d = drive.Drive(self.lower, sobre=env.SOBRE_FAULT,
                        environ={"SOBRE_CLOCK": self.clock},
                        options=("--config", self.config)).start()
        self.addCleanup(d.clean)
        d.settled()
        return d

    def at(self, seconds):
        with open(self.clock + ".new", "w") as f:
            f.write("%d\n" % seconds)
        os.rename(self.clock + ".new", self.clock)
        self.now = seconds

    def released(self):
        """close(2) returns before the daemon is told of it."""
        end = time.monotonic() + 30
        while self.drive.status()["front"]["open_files"]:
            self.assertLess(time.monotonic(), end, "still open")

    def seen(self):
        """What there is from now on, by the program and by ourselves."""
        self.released()
        self.drive.run("du", self.drive.dir)  # writes what is queued
        lower = holdings.Lower(self.drive.below(), DEPARTMENTS)
        self.integral.look(self.now, lower.held())

    def write(self, name, data):
        with open(os.path.join(self.drive.dir, name), "wb") as f:
            f.write(data)

    def rename(self, old, new):
        os.rename(os.path.join(self.drive.dir, old),
                  os.path.join(self.drive.dir, new))

    def step(self, hours):
        self.at(self.start + hours * HOUR)

    def lines(self, report):
        return {line.get("id", line["kind"]): line
                for line in report["lines"]}

    def report(self, month="2026-09"):
        self.drive.run("report", "--month", month, "--drive",
                       self.drive.dir, "--format", "json", "-o", self.out)
        with open(os.path.join(self.out, month, "index.json")) as f:
            return json.load(f)

    def same(self, line, name):
        shared = self.integral.shared(name)
        stored = self.integral.own(name) + shared
        tb_h = stored / 10**12 / HOUR
        mwh = PUE * W_PER_TB * tb_h * 1000  # mW x TB x h
        self.assertEqual(int(line["own_byte_s"]), self.integral.own(name))
        self.near(int(line["shared_byte_s"]), shared, SETS)
        self.near(int(line["logical_byte_s"]), self.integral.logical(name),
                  SETS)
        self.near(line["energy_mwh"]["all"], mwh)
        self.near(line["cost_ueur"]["all"], mwh * PRICE)
        self.near(line["use_ugco2e"]["all"], mwh * CARBON)

    def near(self, given, exact, roundings=1):
        """By largest remainder: each rounding is less than a unit off."""
        self.assertLess(abs(given - exact), roundings)
