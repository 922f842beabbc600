#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Arrays with meters of their own, one read by a program, on a real mount."""
import json
import os
import time
from fractions import Fraction

import env
from ledgercase import CONFIG, END, HOUR, PUE, START, LedgerCase, seeded

ARRAYS = """\
energy:
  price: 0.2 EUR/kWh
  carbon: 40 g/kWh
  pue: 1.5
  renewable_share: 40 %%
  residual: 50 g/kWh
  arrays:
    - id: san
      usable: 200 TB
      holds: [hot, packed]
      fabrication: 365 kg
      life: 10 years
      bought: 2024-09
      meter: { command: [/bin/cat, %(register)s], unit: kWh, times: 0.1 }
    - id: vault
      usable: 800 TB
      holds: archive
      meter: %(csv)s
"""


class Arrays(LedgerCase):
    def configure(self):
        work = env.tmp("arrays")
        self.register = os.path.join(work, "register")
        self.csv = os.path.join(work, "vault.csv")
        with open(self.csv, "w") as f:
            f.write("time,kWh\n2026-09-01T00:00:00Z,10\n"
                    "2026-10-01T00:00:00Z,40\n")
        self.reads("12345.6")
        text = CONFIG[:CONFIG.index("energy:")] + ARRAYS % {
            "register": self.register, "csv": self.csv}
        with open(self.config, "w") as f:
            f.write(text)
        self.remount()

    def reads(self, text):
        with open(self.register, "w") as f:
            f.write(text + "\n")

    def remount(self):
        self.drive.stop()
        self.drive = self.mount()

    def meter(self, what):
        """The first reading is as the mount answers, not before."""
        end = time.monotonic() + 30
        while True:
            meter = self.drive.status()["meters"][0]
            if meter[what]:
                return meter
            self.assertLess(time.monotonic(), end, "no reading")
            time.sleep(0.05)

    def a_measured_month(self):
        self.configure()
        self.assertEqual(1234560000, self.meter("last")["last"]["value_micro"])
        self.write("Ville/Urbanisme/a", seeded(1, 1_000_000))
        self.path = os.path.join(self.drive.dir, "Ville/Urbanisme/a")
        self.step(300)
        self.reads("reading: 15345.6")
        self.at(END)
        self.remount()
        self.meter("last")
        self.at(END + 2 * HOUR)

    def test_a_month_is_measured_by_what_a_program_said(self):
        self.a_measured_month()
        report = self.report()
        self.assertTrue(report["measured"])
        san, vault = report["city"]["arrays"]
        self.assertEqual(("san", "vault"), (san["id"], vault["id"]))
        # 300 and 30 kWh
        self.assertEqual(PUE * 300_000_000, san["total"]["energy_mwh"])
        self.assertEqual(PUE * 30_000_000, vault["total"]["energy_mwh"])
        self.assertEqual(vault["total"], vault["reserve"])
        self.assertEqual(PUE * 330_000_000,
                         report["total"]["energy_mwh"]["all"])
        # 365 kg in 3,650 days: 3 kg in 30
        self.assertEqual(3_000_000_000, san["total"]["build_ugco2e"])
        urb = self.lines(report)["urb"]
        part = Fraction(int(urb["own_byte_s"]), 2 * 10**14 * 30 * 24 * HOUR)
        self.near(urb["energy_mwh"]["all"], PUE * 300_000_000 * part)
        self.assertEqual(25, san["age_months"])
        # 495 kWh: 60 % at 50 g, 40 % at 0
        self.assertEqual(495 * 30 * 10**6, report["city"]["use_market_ugco2e"])

    def test_a_file_costs_what_was_measured(self):
        """A year of its share: of 300 kWh in 720 h for 200 TB."""
        self.a_measured_month()
        before = self.drive.json("du", self.path)["paths"][0]["year"]
        self.drive.run("month", "close", "2026-09", "--drive", self.drive.dir)
        one = self.drive.json("du", self.path)["paths"][0]
        bytes_year = Fraction(one["share_bytes"], 200 * 10**12) * 365 / 30
        self.near(one["year"]["mwh"], PUE * 300_000_000 * bytes_year)
        # 36.5 kg a year, of its share
        self.near(one["year"]["build_ugco2e"],
                  Fraction(36_500_000_000 * one["share_bytes"], 200 * 10**12))
        self.assertNotEqual(before["mwh"], one["year"]["mwh"])
        self.assertEqual(before["build_ugco2e"], one["year"]["build_ugco2e"])
        self.remount()
        end = time.monotonic() + 30
        while True:  # as of the first tick
            said = json.loads(os.getxattr(self.path, "user.sobre.footprint"))
            if said["year"]["mwh"] == one["year"]["mwh"]:
                break
            self.assertLess(time.monotonic(), end, said["year"])
            time.sleep(0.1)

    def test_a_closed_month_keeps_its_arrays(self):
        self.a_measured_month()
        before = self.report()
        self.drive.run("month", "close", "2026-09", "--drive", self.drive.dir)
        with open(self.config) as f:
            text = f.read()
        with open(self.config, "w") as f:
            f.write(text.replace("san", "other").replace("40 %", "10 %"))
        self.remount()
        after = self.report()
        self.assertEqual(before["city"]["arrays"], after["city"]["arrays"])
        self.assertEqual(before["city"]["use_market_ugco2e"],
                         after["city"]["use_market_ugco2e"])

    def test_a_program_that_says_no_reading_is_in_status(self):
        self.configure()
        self.meter("last")
        self.reads("no such sensor")
        self.remount()
        self.assertIn("says no number", self.meter("wrong")["wrong"])
        said = self.drive.run("status", self.drive.dir).stdout
        self.assertIn("meter of array 'san': not read yet", said)
        self.assertIn("the meter of array 'san': '/bin/cat': it says no number",
                      said)

    def test_a_clock_that_goes_back_spoils_no_reading(self):
        self.configure()
        self.meter("last")
        self.at(START - 1000)
        self.remount()
        self.assertIn("the clock was set back", self.meter("wrong")["wrong"])
        path = os.path.join(self.drive.below(), ".sobre/meters/san.kWh.csv")
        with open(path) as f:
            self.assertEqual("time,kWh\n2026-09-01T00:00:00Z,1234.560000\n",
                             f.read())

    def test_what_a_meter_lacks_is_told_at_the_close_and_after(self):
        self.a_measured_month()
        with open(self.csv, "w") as f:
            f.write("time,kWh\n2026-09-01T00:00:00Z,10\n"
                    "2026-09-11T00:00:00Z,20\n2026-09-12T00:00:00Z,1\n"
                    "2026-10-01T00:00:00Z,20\n")
        self.at(END + 40 * 24 * HOUR)
        status = self.drive.status()
        self.assertEqual(["2026-09", "2026-10"], status["months_due"])
        self.assertEqual({"time": "2026-10-01T00:00:00Z",
                          "value_micro": 20_000_000},
                         status["meters"][1]["last"])
        self.assertIsNone(status["meters"][1]["wrong"])
        said = self.drive.run("status", self.drive.dir).stdout
        self.assertIn("not closed yet: 2026-09, 2026-10: sobre month", said)
        fell = "The meter of array vault went backwards"
        silent = "The meter of array vault measured nothing of this month"
        done = self.drive.run("month", "close", "--due", "--drive",
                              self.drive.dir)
        self.assertIn("2026-09: " + fell, done.stderr)
        self.assertIn("2026-10: " + silent, done.stderr)
        status = self.drive.status()
        self.assertEqual([], status["months_due"])
        self.assertIn(silent, "".join(status["last_close"]["warnings"]))
        self.assertIn(silent, self.drive.run("status", self.drive.dir).stdout)
        self.drive.run("report", "--month", "2026-09", "--drive",
                       self.drive.dir, "-o", self.out, "--lang", "fr")
        with open(os.path.join(self.out, "2026-09/urb.html")) as f:
            self.assertIn("Le compteur de la baie vault est revenu en arrière",
                          f.read())

    def test_what_is_wrong_with_a_file_is_told_with_its_place(self):
        self.configure()
        with open(self.csv, "a") as f:
            f.write("2026-10-02T00:00:00Z,-1\n")
        self.at(END + HOUR)
        done = self.drive.run("report", "--month", "2026-09", "--drive",
                              self.drive.dir, "-o", self.out, check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("array 'vault': %s:4:22: a meter says nothing below 0"
                      % self.csv, done.stderr)
        done = self.drive.run("month", "close", "2026-09", "--drive",
                              self.drive.dir, check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn(":4:22:", done.stderr)
        vault = self.drive.status()["meters"][1]
        self.assertEqual("vault", vault["array"])
        self.assertIn(":4:22: a meter says nothing below 0", vault["wrong"])
        os.unlink(self.csv)
        said = self.drive.run("status", self.drive.dir).stdout
        self.assertIn("cannot read '%s'" % self.csv, said)


if __name__ == "__main__":
    env.main()
