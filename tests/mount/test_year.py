#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""A simulated year on a real mount: twelve months of real operations, each
closed when it was over. Every department's kWh, EUR and kg of CO2e against
figures worked out here from the lower's inodes, the packs and the meter, to
the last digit; and no closed month changes afterwards."""
import calendar
import json
import os
import random
import time
from fractions import Fraction

import env
import holdings
from ledgercase import CONFIG, DEPARTMENTS, HOUR, LedgerCase, seeded

YEAR = 2026
SEED = int(os.environ.get("SOBRE_SEED", time.time_ns() % 10**6))
USABLE = 10**9
PUE, PRICE, CARBON = Fraction("1.5"), Fraction("0.2"), Fraction(40)
FABRICATION_UG = 1746 * 10**9
LIFE_S = 5 * 365 * 24 * HOUR
KWH = (346, 311, 350, 331, 340, 325, 339, 341, 330, 347, 335, 348)
CLOSED_H = 29  # the month before, and the clock never goes back
ARRAY = """\
energy:
  price: 0.2 EUR/kWh
  carbon: 40 g/kWh
  pue: 1.5
  arrays:
    - { id: a1, usable: 1 GB, meter: %s, life: 5 years, fabrication: 1746 kg }
targets: [ { year: 2026, energy: 4000 kWh } ]
"""


def starts(month):
    """Of month 0 to 12 of the year."""
    return calendar.timegm((YEAR + month // 12, month % 12 + 1, 1, 0, 0, 0))


def name(month):
    return "%d-%02d" % (YEAR, month + 1)


def apportion(exact):
    """Whole numbers that add up to the rounded sum: largest remainder, the
    first line at a tie."""
    total = int(sum(exact) + Fraction(1, 2))
    parts = [int(x) for x in exact]
    by_rest = sorted(range(len(exact)),
                     key=lambda i: (parts[i] - exact[i], i))
    for i in by_rest[:total - sum(parts)]:
        parts[i] += 1
    return parts


class Year(LedgerCase):
    start = starts(0)

    def settings(self, work):
        meter = os.path.join(work, "meter.csv")
        with open(meter, "w") as f:
            f.write("time,kWh\n")
            for month in range(13):
                at = time.gmtime(starts(month))
                f.write("%s,%d\n" % (time.strftime("%Y-%m-%dT%H:%M:%SZ", at),
                                     1000 + sum(KWH[:month])))
        return "\n".join(line for line in CONFIG.splitlines()
                         if not line.startswith("energy:")) + "\n" + \
            ARRAY % meter

    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.files = []
        self.made = 0

    # --- what people do; written out, or the kernel may give a file its blocks
    # after the ledger looked

    def write(self, name, data, mode="wb"):
        with open(self.path(name), mode) as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())

    def place(self):
        return self.random.choice(
            [path.lstrip("/") for _, path in DEPARTMENTS] + ["."])

    def new(self):
        self.made += 1
        rel = "%s/f%d" % (self.place(), self.made)
        self.write(rel, seeded(self.made,
                               self.random.randrange(1, 2_000_000)))
        self.files.append(rel)

    def copy(self):
        source = self.random.choice(self.files)
        self.made += 1
        rel = "%s/copy%d" % (self.place(), self.made)
        with open(self.path(source), "rb") as f:
            self.write(rel, f.read())
        self.files.append(rel)

    def link(self):
        source = self.random.choice(self.files)
        self.made += 1
        rel = "%s/link%d" % (self.place(), self.made)
        os.link(self.path(source), self.path(rel))
        self.files.append(rel)

    def move(self):
        i = self.random.randrange(len(self.files))
        self.made += 1
        rel = "%s/moved%d" % (self.place(), self.made)
        self.rename(self.files[i], rel)
        self.files[i] = rel

    def remove(self):
        if len(self.files) > 3:
            i = self.random.randrange(len(self.files))
            os.unlink(self.path(self.files.pop(i)))

    def append(self):
        self.write(self.random.choice(self.files),
                   b"one more line\n" * self.random.randrange(1, 9999), "ab")

    def pack(self):
        self.drive.pack()

    def path(self, rel):
        return os.path.join(self.drive.dir, rel)

    def a_month(self, month):
        """Three moments of it, at least one of them with packing."""
        hours = sorted(self.random.sample(range(CLOSED_H + 1, 660), 3))
        for n, hour in enumerate(hours):
            self.at(starts(month) + hour * HOUR)
            for _ in range(self.random.randrange(1, 4)):
                self.random.choice([self.new, self.copy, self.link, self.move,
                                    self.remove, self.append])()
            if n == month % 3:
                self.pack()
            self.seen()

    def close(self, month):
        """On the 2nd, early; and the integral of the month that is over."""
        over, now = self.integral, holdings.Integral()
        over.until(starts(month + 1))
        now.look(*over.last)
        self.integral = now
        self.at(starts(month + 1) + CLOSED_H * HOUR)
        said = self.drive.run("month", "close", "--due", "--drive",
                              self.drive.dir).stdout
        self.assertEqual([name(month)],
                         [line[:7] for line in said.splitlines()])
        return over

    # --- what it should cost

    def compare(self, month, report, integral):
        seconds = starts(month + 1) - starts(month)
        lines = sorted((line for line in report["lines"]
                        if line["kind"] == "department"),
                       key=lambda line: line["number"])
        drive, = (x for x in report["lines"] if x["kind"] == "drive")
        reserve, = (x for x in report["lines"] if x["kind"] == "reserve")
        bytes_s = [integral.own(line["id"]) + integral.shared(line["id"])
                   for line in lines]
        # What the drive needs for itself is its own to tell.
        bytes_s.append(int(drive["own_byte_s"]) + int(drive["shared_byte_s"]))
        bytes_s.append(USABLE * seconds - sum(bytes_s))
        self.assertGreater(bytes_s[-1], 0)
        mwh = [PUE * KWH[month] * 10**6 * b / (USABLE * seconds)
               for b in bytes_s]
        build = [Fraction(FABRICATION_UG * seconds, LIFE_S) * b /
                 (USABLE * seconds) for b in bytes_s]
        lines += [drive, reserve]
        for key, exact in (("energy_mwh", mwh),
                           ("cost_ueur", [PRICE * x for x in mwh]),
                           ("use_ugco2e", [CARBON * x for x in mwh]),
                           ("build_ugco2e", build)):
            with self.subTest(month=name(month), figure=key, seed=SEED):
                self.assertEqual(apportion(exact),
                                 [line[key]["all"] for line in lines])
        for line in lines[:-2]:
            self.assertEqual(int(line["own_byte_s"]),
                             integral.own(line["id"]), (name(month), SEED))
        self.assertEqual(("whole", True, 0),
                         (report["seen"], report["measured"],
                          report["closed"]["n_failed"]))

    def balance(self, told):
        """sobre report --year: what the months told, added up."""
        self.drive.run("report", "--year", str(YEAR), "--drive",
                       self.drive.dir, "-o", self.out)
        with open(os.path.join(self.out, str(YEAR), "index.json")) as f:
            balance = json.load(f)
        self.assertEqual((12, 12), (balance["months_whole"],
                                    balance["months_closed"]))
        for key in ("energy_mwh", "cost_ueur", "use_ugco2e", "build_ugco2e"):
            self.assertEqual(sum(r["total"][key]["all"] for r in told),
                             balance["total"][key])
            for line in balance["lines"]:
                self.assertEqual(
                    sum(one[key]["all"] for r in told for one in r["lines"]
                        if one["kind"] == line["kind"]
                        and one.get("id") == line.get("id")), line[key])
        self.assertEqual(0, balance["before"]["months"])
        with open(os.path.join(self.out, str(YEAR), "index.html")) as f:
            page = f.read()
        for text in ("exceeded", "4,000\u00a0kWh"):
            self.assertIn(text, page)
        self.assertNotIn("not closed", page)

    def test_every_month_is_what_it_is_worked_out_to_be(self):
        print("seed %d" % SEED)
        self.seen()
        self.new()
        self.seen()
        told = []
        for month in range(12):
            self.a_month(month)
            integral = self.close(month)
            report = self.report(name(month))
            self.compare(month, report, integral)
            told.append(report)
        self.balance(told)
        self.drive.stop()
        self.drive = self.mount()
        for month in range(12):
            again = self.report(name(month))
            for key in ("lines", "total", "closed", "coefficients"):
                self.assertEqual(told[month][key], again[key], name(month))
            self.assertEqual(
                [m["energy_mwh"] for m in again["months"][-month - 1:]],
                [r["total"]["energy_mwh"]["all"] for r in told[:month + 1]])


if __name__ == "__main__":
    env.main()
