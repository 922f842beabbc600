#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The charter's page of a drive that lived four months, two in each year,
against what its months' reports say, added up here."""
import calendar
import glob
import json
import os
from fractions import Fraction

import env
from ledgercase import LedgerCase, seeded

MONTHS = ("2025-11", "2025-12", "2026-01", "2026-02")
MONTH_S = 30 * 24 * 3600  # of TB.month
MICRO = 10 ** 6


def first_s(month):
    year, number = map(int, month.split("-"))
    return calendar.timegm((year, number, 1, 0, 0, 0))


def after(month):
    year, number = map(int, month.split("-"))
    return "%d-%02d" % (year + number // 12, number % 12 + 1)


class Charter(LedgerCase):
    start = first_s(MONTHS[0])

    def settings(self, work):
        return super().settings(work) + \
            "charter: { energy_kwh: 0.5, heaviest_page_bytes: 60000 }\n"

    def live(self):
        """A megabyte more each month, each closed and published."""
        for n, month in enumerate(MONTHS):
            self.at(first_s(month) + 3600)
            self.write("Ville/Urbanisme/%d" % n, seeded(n, 3_000_000))
            self.seen()
            self.at(first_s(after(month)) + 7200)
            self.seen()
            self.drive.run("month", "close", month, "--drive",
                           self.drive.dir)
            self.drive.run("report", "--month", month, "--drive",
                           self.drive.dir, "-o", self.out)

    def charter(self, year, *options, **kw):
        return self.drive.run("report", "--charter", year, "--drive",
                              self.drive.dir, "-o", self.out, *options, **kw)

    def told(self, year):
        self.charter(year)
        with open("%s/charter-%s.json" % (self.out, year)) as f:
            told = json.load(f)
        self.assertEqual(list(range(1, 19)),
                         [row["number"] for row in told["commitments"]])
        return {one["id"]: one for row in told["commitments"]
                for one in row["indicators"]}

    def months(self, year):
        for month in MONTHS:
            if month.startswith(year):
                with open(os.path.join(self.out, month, "index.json")) as f:
                    yield json.load(f)

    def sci_ug(self, year):
        ug, byte_s = 0, 0
        for month in self.months(year):
            total = month["total"]
            ug += total["use_ugco2e"]["all"] + total["build_ugco2e"]["all"]
            byte_s += int(total["logical_byte_s"])
        return Fraction(ug) * 10 ** 12 * MONTH_S / byte_s

    def mwh(self, year):
        return sum(m["total"]["energy_mwh"]["all"]
                   for m in self.months(year))

    def files(self, year, ending):
        return [path for path in glob.glob(
            "%s/%s-??/*%s" % (self.out, year, ending))
            if "annex" not in path and "departments.html" not in path]

    def test_it_adds_up_what_the_months_say(self):
        self.live()
        told = self.told("2026")
        energy, sci = told["energy_kwh"], told["sci_g"]
        self.assertEqual(self.mwh("2026"), energy["value_micro"])
        self.assertEqual(self.mwh("2025"), energy["before_micro"])
        self.assertEqual(MICRO // 2, energy["target_micro"])
        self.assertGreater(energy["high_micro"], energy["value_micro"])
        self.assertLess(abs(sci["value_micro"] - self.sci_ug("2026")), 1)
        self.assertLess(abs(sci["before_micro"] - self.sci_ug("2025")), 1)
        self.assertEqual(2 * MICRO, told["months_closed"]["value_micro"])
        self.assertEqual(0, told["measured_percent"]["value_micro"])
        pages = max(map(os.path.getsize, self.files("2026", ".html")))
        self.assertEqual(pages * MICRO,
                         told["heaviest_page_bytes"]["value_micro"])
        exports = self.files("2026", ".csv") + self.files("2026", ".json")
        self.assertEqual(len(exports) * MICRO,
                         told["files_published"]["value_micro"])
        self.assertEqual(0, told["unused_1_year_percent"]["value_micro"])

    def test_what_is_not_known_says_why(self):
        self.live()
        for one in self.told("2026").values():
            self.assertNotEqual(one["value_micro"] is None,
                                one["why"] is None, one)
        told = self.told("2030")
        self.assertIsNone(told["sci_g"]["value_micro"])
        self.assertIn("No month", told["sci_g"]["why"])
        self.assertEqual(0, told["months_closed"]["value_micro"])
        self.assertIsNone(told["heaviest_page_bytes"]["value_micro"])

    def test_it_is_read_in_french_too_and_without_a_mount(self):
        self.live()
        self.drive.stop()
        env.run(env.SOBRE_FAULT, "report", "--charter", "2026", "--drive",
                self.lower, "--config", self.config, "--lang", "fr",
                "--format", "html", "-o", self.out,
                env=dict(os.environ, SOBRE_CLOCK=self.clock))
        with open(self.out + "/charter-2026.html") as f:
            page = f.read()
        self.assertIn('lang="fr"', page)
        self.assertIn("charte numérique responsable", page)
        self.assertFalse(os.path.exists(self.out + "/charter-2026.json"))

    def test_what_makes_no_sense_is_refused(self):
        for year in ("26", "2O26", "1969", "20266"):
            done = self.charter(year, check=False)
            self.assertEqual(2, done.returncode, year)
            self.assertIn("--charter takes a year", done.stderr)
        for more in (("--month", "2026-01"), ("--department", "urb"),
                     ("--format", "csv")):
            self.assertEqual(2, self.charter("2026", *more,
                                             check=False).returncode)


if __name__ == "__main__":
    env.main()
