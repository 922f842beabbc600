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


if __name__ == "__main__":
    env.main()
