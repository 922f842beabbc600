#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""A simulated month on a real mount: the report against figures worked out
from the lower's inodes and the packs alone (tests/support/holdings.py)."""
import csv
import glob
import grp
import os
import stat

import env
import holdings
from ledgercase import END, HOUR, LedgerCase, seeded


class Lived(LedgerCase):
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


class Month(Lived):
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


    def test_the_organisation_s_open_data_are_the_city_s_figures(self):
        with open(self.config, "a") as f:
            f.write("organisation: { name: Ville, service: Partage }\n")
        self.drive.stop()
        self.drive = self.mount()
        self.a_month()
        self.drive.run("report", "--month", "2026-09", "--drive",
                       self.drive.dir, "-o", self.out)
        with open(os.path.join(self.out, "2026-09/index-impact.csv")) as f:
            first = next(csv.DictReader(f))
        total = self.report()["total"]["energy_mwh"]["all"]
        self.assertEqual(("Ville", "Partage", "kWh", "2026-09-30"),
                         (first["administration_rattachement"],
                          first["nom_service_public_numerique"],
                          first["unite_mesure"], first["date"]))
        self.assertEqual(total, round(1e6 * float(first["valeur"])))


    def test_what_came_less_what_went_is_what_is_held(self):
        self.a_month()
        report = self.report()
        flows = report["flows"]
        self.assertEqual("2026-09-01T00:00:00Z", flows.pop("since"))
        held = sum(int(line["own_byte_s"]) + int(line["shared_byte_s"])
                   for line in report["lines"]
                   if line["kind"] in ("department", "former"))
        self.assertEqual(held, sum(int(f["came_byte_s"]) -
                                   int(f["went_byte_s"])
                                   for f in flows.values()))
        for cause in ("new", "moved", "shared"):
            self.assertGreater(int(flows[cause]["came_byte_s"]), 0, cause)
        for cause in ("packed", "moved", "shared"):
            self.assertGreater(int(flows[cause]["went_byte_s"]), 0, cause)


class Closing(Lived):
    """The same month, closed; then the price changes."""

    def close(self, *options, **kw):
        return self.drive.run("month", "close", "2026-09", "--drive",
                              self.drive.dir, *options, **kw)

    def dearer(self):
        with open(self.config) as f:
            text = f.read()
        with open(self.config, "w") as f:
            f.write(text.replace("0.2 EUR/kWh", "0.4 EUR/kWh"))
        self.drive.stop()
        self.drive = self.mount()

    def figures(self, report):
        """But for where its bytes are, which is said of a closed month."""
        figures = {k: v for k, v in report.items()
                   if k not in ("made", "closed", "saved_by", "rules",
                                "city")}
        figures["city"] = {k: v for k, v in report["city"].items()
                           if k != "disk"}
        return figures

    def test_a_closed_month_stays_as_it_was(self):
        self.a_month()
        before = self.report()
        self.assertIsNone(before["closed"])
        self.close()
        closed = self.report()
        self.assertEqual(self.figures(before), self.figures(closed))
        self.assertEqual(1, closed["closed"]["version"])
        self.assertEqual(([], 0), (closed["closed"]["failed"],
                                   closed["closed"]["n_failed"]))
        self.assertEqual("2026-09",
                         self.drive.status()["last_close"]["month"])
        self.dearer()
        self.assertEqual(self.figures(closed), self.figures(self.report()))
        done = self.close(check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("is closed, as version 1", done.stderr)
        self.close("--correct", "facture relue")
        after = self.report()
        self.assertEqual(2, after["closed"]["version"])
        self.assertEqual("facture relue", after["closed"]["reason"])
        self.assertEqual(before["total"]["cost_ueur"]["all"],
                         after["closed"]["before_ueur"])
        self.assertAlmostEqual(2 * before["total"]["cost_ueur"]["all"],
                               after["total"]["cost_ueur"]["all"], delta=20)

    def test_a_closed_month_keeps_what_files_there_were(self):
        self.a_month()
        self.close()
        closed = self.report()["files"]
        kinds = closed["kinds"]
        self.assertGreater(kinds["other"]["files"], 0)
        self.assertEqual(0, kinds["pdf"]["files"])
        self.write("Ville/Urbanisme/plan.pdf", seeded(5, 200_000))
        self.seen()
        self.assertEqual(closed, self.report()["files"])
        self.close("--correct", "facture relue")
        self.assertEqual(closed, self.report()["files"])

    def test_what_files_there_are_is_what_the_lower_holds(self):
        self.a_month()
        self.write("Ville/Urbanisme/plan.pdf", seeded(5, 200_000))
        self.write("Ville/Urbanisme/plan.bak", seeded(6, 70_000))
        self.seen()
        told = self.report()["files"]
        left = os.lstat(os.path.join(self.drive.below(),
                                     "Ville/Urbanisme/plan.bak"))
        self.assertEqual({"files": 1, "gain_bytes": left.st_blocks * 512},
                         told["actions"]["temporary"])
        self.assertEqual(0, told["actions"]["unused_5_years"]["files"])
        found = [st for st, _, _ in
                 holdings.Lower(self.drive.below(), ()).inodes().values()
                 if stat.S_ISREG(st.st_mode)]
        for by in ("kinds", "last_use"):
            sums = told[by].values()
            self.assertEqual(len(found), sum(s["files"] for s in sums))
            self.assertEqual(sum(st.st_blocks * 512 for st in found),
                             sum(s["plain_bytes"] for s in sums))
        plan = os.lstat(os.path.join(self.drive.below(),
                                     "Ville/Urbanisme/plan.pdf"))
        self.assertEqual({"files": 1, "plain_bytes": plan.st_blocks * 512,
                          "packed_bytes": 0}, told["kinds"]["pdf"])

    def test_what_can_t_be_closed_is_named(self):
        done = self.close(check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("2026-09 is not over", done.stderr)
        self.a_month()
        done = self.close("--correct", "trop", check=False)
        self.assertIn("is not closed", done.stderr)
        done = self.drive.run("month", "close", "2025-01", "--drive",
                              self.drive.dir, check=False)
        self.assertIn("knows nothing of 2025-01", done.stderr)
        for wrong in (("2026-13",), (), ("2026-09", "--due")):
            done = self.drive.run("month", "close", *wrong, "--drive",
                                  self.drive.dir, check=False)
            self.assertEqual(2, done.returncode, wrong)

    def test_all_that_are_due(self):
        self.a_month()
        self.at(END + 70 * 24 * HOUR)  # December
        said = self.drive.run("month", "close", "--due", "--drive",
                              self.drive.dir).stdout
        self.assertEqual(["2026-09", "2026-10", "2026-11"],
                         [line[:7] for line in said.splitlines()])
        said = self.drive.run("month", "close", "--due", "--drive",
                              self.drive.dir).stdout
        self.assertEqual("no month to close\n", said)

    def du(self):
        """As coreutils sees the lower, the state and all."""
        said = env.run("du", "-s", "--block-size=1", self.drive.below()).stdout
        return int(said.split()[0])

    def test_all_bytes_on_disk_are_accounted_for(self):
        self.a_month()
        for name in ("Ville/Urbanisme/a", "Ville/Jeunesse/a"):
            os.unlink(os.path.join(self.drive.dir, name))
        self.seen()
        du = self.du()
        self.close()
        disk = self.report()["city"]["disk"]
        found = disk.pop("found_bytes")
        self.assertEqual(sum(disk.values()), found)
        for part in ("files", "packed", "pack_rest", "catalog", "other"):
            self.assertGreater(disk[part + "_bytes"], 0, part)
        # but for what the catalog's log has grown by meanwhile
        self.assertLess(abs(du - found), 65536)
        self.assertGreater(found, 30 * 65536)

    def test_packs_that_are_not_as_big_as_counted_show(self):
        self.a_month()
        packs = os.path.join(self.drive.below(), ".sobre/packs")
        for folder, _, names in os.walk(packs):
            for name in names:
                with open(os.path.join(folder, name), "ab") as f:
                    f.write(b"x" * 5000)
        done = self.close(check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("the packs held", done.stderr)
        self.assertIn("packs", [check["name"] for check in
                                self.report()["closed"]["failed"]])

    def test_a_lower_that_the_ledger_does_not_know_shows(self):
        self.a_month()
        with open(os.path.join(self.drive.below(), "Ville/cache"), "wb") as f:
            f.write(b"x" * 100000)
            os.fsync(f.fileno())
        done = self.close(check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("the disk held", done.stderr)
        closed = self.report()["closed"]
        self.assertEqual(1, closed["n_failed"])
        failed = closed["failed"][0]
        self.assertEqual("disk", failed["name"])
        self.assertEqual(102400,  # the 100,000 in blocks of 4 KiB
                         int(failed["found"]) - int(failed["counted"]))
        said = self.drive.run("status", self.drive.dir, check=False)
        self.assertEqual(1, said.returncode)
        self.assertIn("its books did not balance", said.stdout)
        self.assertIn("  the disk held %s bytes" % failed["found"],
                      said.stdout)
        said = self.drive.run("status", check=False)
        self.assertEqual(1, said.returncode)
        self.page("the disk held %s bytes" % f"{int(failed['found']):,}")
        os.unlink(os.path.join(self.drive.below(), "Ville/cache"))
        self.close("--correct", "cache removed")
        self.drive.run("status", self.drive.dir)

    def page(self, text):
        self.drive.run("report", "--month", "2026-09", "--drive",
                       self.drive.dir, "-o", self.out)
        with open(os.path.join(self.out, "2026-09/index.html")) as f:
            self.assertIn(text, f.read())


    def test_folders_are_named_in_their_department_s_annex_alone(self):
        self.a_month()
        self.write("Ville/Urbanisme/plan.pdf", seeded(5, 200_000))
        self.seen()
        self.drive.run("report", "--month", "2026-09", "--drive",
                       self.drive.dir, "-o", self.out)
        told = {}
        for name in os.listdir(os.path.join(self.out, "2026-09")):
            with open(os.path.join(self.out, "2026-09", name)) as f:
                told[name] = f.read()
        self.assertIn("/Ville/Jeunesse/dossier", told["dej-annex.html"])
        self.assertIn("/Ville/Urbanisme", told["urb-annex.html"])
        for name, text in told.items():
            if name != "dej-annex.html":
                self.assertNotIn("/Ville/Jeunesse", text, name)


class Timer(Lived):
    UNIT = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir,
                        "tools", "systemd", "sobre-month@.service.in")

    def commands(self):
        """As systemd would run them for this drive."""
        with open(self.UNIT) as f:
            lines = f.read().splitlines()
        for line in lines:
            key, _, command = line.partition("=")
            if key in ("ExecStart", "ExecStopPost"):
                for old, new in (("@CMAKE_INSTALL_FULL_BINDIR@/sobre", ""),
                                 ("%S/sobre/%i/report", self.out),
                                 ("%i", self.drive.dir),
                                 ("${SOBRE_REPORT_LANG}", "fr")):
                    command = command.replace(old, new)
                yield command.split()

    def test_the_unit_s_commands_close_and_report_the_last_month(self):
        self.a_month()
        os.environ["SOBRE_CLOCK"] = self.clock  # "last" is the client's
        self.addCleanup(os.environ.pop, "SOBRE_CLOCK")
        commands = list(self.commands())
        self.assertEqual(2, len(commands))
        for argv in commands:
            env.run(env.SOBRE_FAULT, *argv)
        with open(os.path.join(self.out, "urb/2026-09/urb.html")) as f:
            self.assertIn("Mois clos le", f.read())


class Readers(LedgerCase):
    """Files for their department's groups alone, whatever the umask of the
    daemon, which is 077."""
    GROUPS = {"dej": "daemon", "com": "games, mail"}

    def setUp(self):
        super().setUp()
        with open(self.config) as f:
            text = f.read()
        for name, groups in self.GROUPS.items():
            text = text.replace("{ id: %s," % name,
                                "{ id: %s, groups: [%s]," % (name, groups))
        with open(self.config, "w") as f:
            f.write(text + "roles: { admin: adm }\n")
        self.drive.stop()
        self.drive = self.mount()

    def may(self, group, path):
        """May somebody of that group alone read it?"""
        gid = grp.getgrnam(group).gr_gid
        program = "ls" if os.path.isdir(path) else "cat"
        done = env.run(program, path, user=65534, group=gid, extra_groups=[],
                       check=False)
        return done.returncode == 0

    def write_apart(self, **options):
        return self.drive.run("report", "--month", "2026-09", "--drive",
                              self.drive.dir, "--per-department", self.out,
                              "--format", "html,csv,json,prom", **options)

    def test_a_department_reads_its_own_and_nothing_else(self):
        for _ in range(2):  # made, and found
            said = self.write_apart()
        self.assertIn("only root may read %s/urb" % self.out, said.stderr)
        self.assertNotIn("dej", said.stderr)
        os.chmod(os.path.dirname(self.out), 0o755)
        readers = {"urb": set(), "dej": {"daemon"}, "com": {"games", "mail"},
                   "other": {"adm"}, "_city": {"adm"}}
        for name, groups in readers.items():
            stem = "index" if name == "_city" else name
            folder = os.path.join(self.out, name, "2026-09")
            for ending in (".html", ".csv", "-tableur.csv", ".json"):
                path = os.path.join(folder, stem + ending)
                self.assertGreater(os.stat(path).st_size, 0)
                for group in ("daemon", "games", "mail", "adm", "nogroup"):
                    with self.subTest(path=path, group=group):
                        self.assertEqual(group in groups,
                                         self.may(group, path))
        metrics = [n for n in os.listdir(self.out) if n.endswith(".prom")]
        self.assertEqual(1, len(metrics))
        self.assertTrue(self.may("nogroup",
                                 os.path.join(self.out, metrics[0])))

    def test_a_year_is_for_the_administrators(self):
        self.drive.run("report", "--year", "2026", "--drive", self.drive.dir,
                       "--per-department", self.out)
        os.chmod(os.path.dirname(self.out), 0o755)
        for name in ("index.html", "index.json", "index-tableur.csv"):
            path = os.path.join(self.out, "_city/2026", name)
            self.assertTrue(self.may("adm", path))
            self.assertFalse(self.may("mail", path))
        for wrong in (("--year", "26"), ("--year", "2026", "--month", "last"),
                      ("--year", "2026", "--format", "prom"), ("--mail",)):
            done = self.drive.run("report", *wrong, "--drive", self.drive.dir,
                                  "-o", self.out, check=False)
            self.assertEqual(2, done.returncode, wrong)

    def test_a_department_that_loses_a_group_is_read_by_the_other_alone(self):
        self.write_apart()
        with open(self.config) as f:
            text = f.read()
        with open(self.config, "w") as f:
            f.write(text.replace("games, mail", "mail"))
        self.drive.stop()
        self.drive = self.mount()
        self.write_apart()
        os.chmod(os.path.dirname(self.out), 0o755)
        path = os.path.join(self.out, "com/2026-09/com.html")
        self.assertTrue(self.may("mail", path))
        for name in ("com", "com/2026-09", "com/2026-09/com.html"):
            self.assertFalse(self.may("games", os.path.join(self.out, name)))

    def test_other_reports_have_the_umask_of_who_asks(self):
        for mask, mode in ((0o022, 0o644), (0o027, 0o640), (0o077, 0o600)):
            before = os.umask(mask)
            try:
                self.drive.run("report", "--month", "2026-09", "--drive",
                               self.drive.dir, "--format", "html,prom",
                               "-o", self.out + str(mask))
            finally:
                os.umask(before)
            for name, want in (("2026-09/urb.html", mode),
                               ("2026-09", mode | (mode >> 2) & 0o111)):
                st = os.stat(os.path.join(self.out + str(mask), name))
                self.assertEqual(want, st.st_mode & 0o7777, name)
            metrics = glob.glob(self.out + str(mask) + "/*.prom")
            self.assertEqual(0o644, os.stat(metrics[0]).st_mode & 0o7777)


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
