#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What drive.yaml says is in force on a mount; the virtual attributes."""
import errno
import json
import os
import time

import case
import drive
import env
import sample
import sys_calls

DAY = 86400
FOOTPRINT = "user.sobre.footprint"
FLAG = "user.sobre.flag"
RULES = """\
rules:
  - { id: tmp, label: Temporary, source: S, personal: no,
      names: ["*.tmp"], then: flag, mode: simulation }
"""


class Config(case.DriveCase):
    def setUp(self):
        super().setUp()
        self.work = env.tmp("config")
        self.clock = os.path.join(self.work, "clock")
        self.config = os.path.join(self.work, "drive.yaml")
        self.rules = os.path.join(self.work, "rules")
        self.at(int(time.time()))

    def at(self, seconds):
        sample.put(self.clock + ".new", b"%d\n" % seconds)
        os.rename(self.clock + ".new", self.clock)
        self.now = seconds

    def serve(self, config, *options, tz="UTC"):
        sample.put(self.config, config.encode())
        d = drive.Drive(self.lower, sobre=env.SOBRE_FAULT,
                        environ={"SOBRE_CLOCK": self.clock, "TZ": tz},
                        options=("--config", self.config, *options)).start()
        self.addCleanup(d.clean)
        d.settled()
        return d

    def file(self, name, size=40000):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        sample.put(self.path(name), os.urandom(size))

    def code(self, name, attribute):
        try:
            os.getxattr(self.path(name), attribute)
        except OSError as e:
            return e.errno
        return 0

    def said_in_time(self, what, seconds=90):
        end = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.2)

    # --- pack

    def test_excluded_files_stay_plain_by_hand(self):
        self.file("mail/Box.PST")
        self.file("mail/note.odt")
        d = self.serve('pack: { exclude: ["*.pst"] }\n')
        done = d.pack("mail")
        self.assertEqual(1, done["left_out"]["excluded"], done)
        self.assertTrue(d.is_packed("mail/note.odt"))
        self.assertFalse(d.is_packed("mail/Box.PST"))
        self.assertEqual("excluded", d.explain("mail/Box.PST")["would"])
        said = d.run("pack", "--now", self.path("mail"), "--lang", "fr")
        self.assertIn("exclus par la configuration", said.stdout)
        d.stop()
        said = env.run(env.SOBRE, "explain", self.path("mail/Box.PST"))
        self.assertNotIn("excluded", said.stdout)  # no --config: not known

    def test_min_age_holds_by_hand_and_in_explain(self):
        self.file("a")
        d = self.serve("pack: { min_age: 10 days }\n")
        for days, packed in ((0, 0), (9, 0), (11, 1)):
            self.at(int(os.stat(self.path("a")).st_mtime) + days * DAY)
            would = d.explain("a")["would"]
            done = d.json("pack", self.path("a"))
            self.assertEqual(packed, done["packed"], (days, done))
            self.assertEqual("done" if packed else "young", would)
        self.assertTrue(d.is_packed("a"))

    def test_the_background_heeds_age_exclusion_and_window(self):
        """One round a minute: the three in one test."""
        self.file("kept/a.pst")
        self.file("b")
        os.link(self.path("b"), self.path("kept/c.pst"))
        self.file("d")
        midnight = self.now // DAY * DAY + 20 * DAY
        self.at(midnight + 12 * 3600)
        d = self.serve('pack: { min_age: 5 days, exclude: ["*.pst"],\n'
                       '        window: "20:00-06:00" }\n')
        self.file("e")
        young = midnight + 12 * 3600 - 3 * DAY
        os.utime(self.path("e"), (young, young))
        window = d.status()["pack_window"]
        self.assertEqual({"from": "20:00", "until": "06:00", "open": False},
                         window)
        self.assertIn("waits for its hours: 20:00 to 06:00",
                      d.run("status", self.lower).stdout)
        self.assertIn("attend ses heures",
                      d.run("status", self.lower, "--lang", "fr").stdout)
        time.sleep(65)  # a round has come by
        self.assertEqual(0, d.status()["packed"])
        self.assertEqual(1, d.json("pack", self.path("d"))["packed"])
        self.at(midnight + DAY + 2 * 3600)
        self.assertTrue(d.status()["pack_window"]["open"])
        self.assertNotIn("waits", d.run("status", self.lower).stdout)
        self.said_in_time(lambda: d.is_packed("gros.csv"))
        for name in ("kept/a.pst", "b", "kept/c.pst"):
            self.assertFalse(d.is_packed(name), name)

    def test_a_wrong_pattern_stops_the_mount(self):
        sample.put(self.config, b'pack: { exclude: ["a//b"] }\n')
        d = drive.Drive(self.lower, options=("--config", self.config))
        with self.assertRaises(drive.MountFailed) as caught:
            d.start()
        self.assertIn("a//b", caught.exception.text)
        self.assertIn(self.config, caught.exception.text)

    # --- departments

    def departments(self, d, name):
        return d.json("du", self.path(name))["paths"][0]["departments"]

    def test_departments_that_changed_are_charged_anew(self):
        self.file("Ville/Urb/a")
        self.file("Ville/b")
        one = 'departments: [{ id: com, name: C, paths: ["/Ville"] }]\n'
        two = ('departments:\n'
               '  - { id: urb, name: U, paths: ["/Ville/Urb"] }\n'
               '  - { id: com, name: C, paths: ["/Ville"] }\n')
        d = self.serve(one)
        d.pack("Ville")
        self.assertEqual(["com"], self.departments(d, "Ville/Urb/a"))
        d.stop()
        d = self.serve(two)
        self.said_in_time(
            lambda: self.departments(d, "Ville/Urb/a") == ["urb"])
        self.assertEqual(["com"], self.departments(d, "Ville/b"))
        d.stop()
        # Neither without a configuration nor by hand does it change back.
        said = env.run(env.SOBRE, "du", self.path("Ville/Urb/a"), "--json")
        self.assertEqual(["urb"],
                         json.loads(said.stdout)["paths"][0]["departments"])
        fsck = env.run(env.SOBRE, "fsck", self.lower, "--json")
        self.assertEqual(0, json.loads(fsck.stdout)["damage"])
        with drive.Drive(self.lower) as plain:
            plain.settled()
            self.assertEqual(["urb"], self.departments(plain, "Ville/Urb/a"))

    # --- rules

    def write_rules(self, text):
        os.makedirs(self.rules, exist_ok=True)
        sample.put(os.path.join(self.rules, "10-a.yaml"), text.encode())

    def matched(self, *options):
        said = env.run(env.SOBRE, "policy", "plan", "--drive", self.lower,
                       "--json", *options)
        return [i["path"] for i in json.loads(said.stdout)["items"]]

    def test_a_plan_is_the_same_mounted_read_only_and_not_mounted(self):
        self.file("x/a.tmp")
        self.write_rules(RULES)
        own = ("--policies", self.rules)
        d = self.serve("{}\n", *own)
        d.run("du", self.lower)
        self.assertEqual(["/x/a.tmp"], self.matched())
        self.assertEqual(["/x/a.tmp"], self.matched(*own))
        self.assertEqual(["/x/a.tmp"], self.matched("--as-of", "2030-01-01"))
        d.stop()
        self.assertEqual(["/x/a.tmp"], self.matched(*own))
        self.assertEqual(["/x/a.tmp"],
                         self.matched(*own, "--as-of", "2030-01-01"))
        out = os.path.join(self.work, "out")
        with drive.Drive(self.lower, options=("--read-only", *own)) as r:
            self.assertEqual(["/x/a.tmp"], self.matched())
            self.assertEqual(["/x/a.tmp"],
                             self.matched("--as-of", "2030-01-01"))
            self.assertIsNone(r.status()["pack_window"])
            self.assertEqual("tmp", json.loads(os.getxattr(
                self.path("x/a.tmp"), FLAG))["flags"][0]["rule"])
            month = time.strftime("%Y-%m", time.gmtime(self.now))
            r.run("report", "--month", month, "--drive", self.lower,
                  "-o", out)
        self.assertTrue(os.path.exists(out + "/" + month + "/index.html"))

    def test_a_plan_says_how_many_files_no_copy_was_looked_for(self):
        self.file("x/a.bin")
        sample.copy(self.path("x/a.bin"), self.path("x/b.bin"))
        self.file("x/plain.bin")
        self.write_rules(
            "rules:\n  - { id: twice, label: Twice, source: S, personal: no,"
            " duplicate: yes, then: flag, mode: simulation }\n")
        d = self.serve("{}\n", "--policies", self.rules)
        d.pack("x/a.bin", "x/b.bin")
        said = d.json("policy", "plan", "--drive", self.lower)
        self.assertEqual(["/x/a.bin", "/x/b.bin"],
                         sorted(i["path"] for i in said["items"]))
        status = d.status()
        self.assertEqual(status["files"] - status["packed"],
                         said["uncompared_files"])

    def test_what_is_no_drive_is_told_of_assess(self):
        for command in (("du", self.work),
                        ("policy", "plan", "--drive", self.work),
                        ("report", "--month", "2026-01", "--drive", self.work,
                         "-o", self.work + "/out")):
            said = env.run(env.SOBRE, *command, check=False)
            self.assertEqual(1, said.returncode)
            self.assertIn("'%s' is in no drive: 'sobre assess'" % self.work,
                          said.stderr)
        self.assertFalse(os.path.exists(self.work + "/out"))

    # --- attributes

    def test_attributes_tell_cost_and_flags_to_who_may_read(self):
        self.file("x/a.tmp")
        self.write_rules(RULES)
        d = self.serve("{}\n", "--policies", self.rules)
        os.chmod(self.path("x/a.tmp"), 0o640)
        d.run("du", self.lower)
        cost = json.loads(os.getxattr(self.path("x/a.tmp"), FOOTPRINT))
        self.assertEqual(40000, cost["logical_bytes"])
        below = json.loads(os.getxattr(self.path("x"), FOOTPRINT))
        self.assertEqual(1, below["files"])
        flags = json.loads(os.getxattr(self.path("x/a.tmp"), FLAG))
        self.assertEqual("tmp", flags["flags"][0]["rule"])
        self.assertEqual(0, flags["left_out"])
        self.assertEqual(errno.ENODATA, self.code("gros.csv", FLAG))
        self.assertEqual(errno.ENODATA, self.code("x", FLAG))
        self.assertNotIn(FLAG, os.listxattr(self.path("x/a.tmp")))
        with self.assertRaises(PermissionError):
            os.setxattr(self.path("x/a.tmp"), FLAG, b"{}")
        with self.assertRaises(PermissionError):
            sys_calls.as_agent(12345, 12345, [], os.getxattr,
                               self.path("x/a.tmp"), FLAG)

    def test_a_directory_of_very_many_has_a_footprint(self):
        os.mkdir(self.path("many"))
        for i in range(50001):
            os.symlink("x", self.path("many/%d" % i))
        self.file("many/one")
        self.serve("{}\n")
        for name in ("many", ""):
            said = json.loads(os.getxattr(self.path(name), FOOTPRINT))
            self.assertLessEqual(1, said["files"])

    def test_flags_too_many_for_an_attribute_are_left_out(self):
        name = "/".join(["d" * 200] * 15) + "/a.tmp"
        self.file(name)
        self.write_rules("rules:\n" + "".join(
            "  - { id: r%d, label: L, source: S, personal: no,\n"
            "      paths: [\"%s\"], then: flag, mode: simulation }\n"
            % (i, "/" + name) for i in range(40)))
        d = self.serve("{}\n", "--policies", self.rules)
        d.run("du", self.lower)
        value = os.getxattr(self.path(name), FLAG)
        flags = json.loads(value)
        self.assertLessEqual(len(value), 65536)
        self.assertEqual(40, len(flags["flags"]) + flags["left_out"])
        self.assertGreater(len(flags["flags"]), 5)

    # --- names

    def test_an_existing_path_goes_before_the_name_of_a_drive(self):
        if not os.path.isdir("/etc/sobre"):
            os.mkdir("/etc/sobre")
            self.addCleanup(os.rmdir, "/etc/sobre")
        env.run("mount", "-t", "tmpfs", "none", "/etc/sobre")
        self.addCleanup(env.run, "umount", "/etc/sobre")
        name = "partage"
        os.mkdir("/etc/sobre/" + name)
        sample.put("/etc/sobre/%s/drive.yaml" % name,
                   b"lower: %s\n" % self.lower.encode())
        self.file(name + "/a")
        env.run(env.SOBRE, "mount", name)
        self.addCleanup(env.run, "umount", "-l", self.lower, check=False)
        env.run(env.SOBRE, "status", name)
        said = env.run(env.SOBRE, "pack", "--now", "--json", name,
                       cwd=self.lower)
        self.assertEqual(1, json.loads(said.stdout)["packed"])
        env.run(env.SOBRE, "umount", name)


if __name__ == "__main__":
    env.main()
