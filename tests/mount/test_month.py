#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""A simulated month on a real mount: the report against figures worked out
from the lower's inodes and the packs alone (tests/support/holdings.py)."""
import os

import env
from ledgercase import END, HOUR, LedgerCase, seeded


class Month(LedgerCase):
    def a_month(self):
        """Writes, copies, packs, moves, links, removes; ends in October."""
        both = seeded(1, 3_000_000)
        self.write("Ville/Urbanisme/a", seeded(2, 1_000_000))
        self.write("Ville/Urbanisme/b", both)
        self.seen()
        self.step(100)
        self.write("Ville/Jeunesse/b", both)
        self.write("Ville/b", both)
        self.seen()
        self.step(240)
        self.drive.pack()
        self.seen()
        self.step(300)
        os.unlink(os.path.join(self.drive.dir, "Ville/b"))
        self.seen()
        self.step(360)
        os.mkdir(os.path.join(self.drive.dir, "Ville/Urbanisme/dossier"))
        self.write("Ville/Urbanisme/dossier/c", seeded(3, 500_000))
        os.link(os.path.join(self.drive.dir, "Ville/Urbanisme/a"),
                os.path.join(self.drive.dir, "Ville/Jeunesse/a"))
        self.seen()
        self.step(480)
        self.rename("Ville/Urbanisme/dossier", "Ville/Jeunesse/dossier")
        self.seen()
        self.drive.stop()
        self.step(500)  # the bytes stay while nothing is mounted
        self.drive = self.mount()
        self.seen()
        self.step(600)
        with open(os.path.join(self.drive.dir, "Ville/Jeunesse/b"),
                  "ab") as f:
            f.write(b"one more line\n")  # copies up
        self.seen()
        self.at(END + 2 * HOUR)

    def test_report_equals_an_independent_calculation(self):
        self.a_month()
        self.at(END)
        self.integral.until(END)
        self.at(END + 2 * HOUR)
        lines = self.lines(self.report())
        for name in ("urb", "dej", "com", "other"):
            with self.subTest(department=name):
                self.same(lines[name], name)

    def test_lines_add_up_to_the_total(self):
        self.a_month()
        report = self.report()
        for key in ("energy_mwh", "cost_ueur", "use_ugco2e", "build_ugco2e"):
            self.assertEqual(sum(l[key]["all"] for l in report["lines"]),
                             report["total"][key]["all"])
        self.assertGreater(report["total"]["energy_mwh"]["all"], 0)
        self.assertEqual(report["seen"], "whole")


class Uses(LedgerCase):
    def last_used(self, name):
        return self.drive.explain(name).get("last_used")

    def test_a_persons_open_is_a_use_and_roots_is_not(self):
        self.write("Ville/a", seeded(1, 5000))
        path = os.path.join(self.drive.dir, "Ville/a")
        with open(path, "rb") as f:
            f.read()
        self.assertIsNone(self.last_used("Ville/a"))
        self.step(240)
        env.run("cat", path, user=65534, group=65534)
        self.assertEqual(self.last_used("Ville/a"), "2026-09-11")
        self.step(480)
        env.run("cat", path, user=65534, group=65534)
        self.assertEqual(self.last_used("Ville/a"), "2026-09-21")


class Months(LedgerCase):
    def test_a_month_that_has_not_begun_is_said_on_the_page(self):
        self.drive.run("report", "--month", "2027-11", "--drive",
                       self.drive.dir, "-o", self.out)
        with open(os.path.join(self.out, "2027-11/index.html")) as f:
            self.assertIn("has not begun", f.read())

    def test_a_department_that_was_renamed_keeps_nobody_from_the_share(self):
        self.rename("Ville/Jeunesse", "Ville/Enfance")
        self.drive.stop()
        self.drive = self.mount()
        said = self.drive.said()
        self.assertIn("drive.yaml:3:", said)
        self.assertIn("mounted all the same", said)


if __name__ == "__main__":
    env.main()
