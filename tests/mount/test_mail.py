#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""sobre report --mail: what a sendmail of ours was given, read by Python's
parser; once for each version of a month; failures told."""
import email
import email.policy
import email.utils
import os

import drive
import env
from ledgercase import END, HOUR, LedgerCase, seeded

NAME = "Éducation, jeunesse et activités périscolaires : l’œuvre de l’année 📁"
FAKE = """\
#!/bin/sh
# Keeps each message; fails when it is told to.
cd %(box)s || exit 1
[ ! -e fail ] || { echo "the queue is full" >&2; cat >/dev/null; exit 75; }
n=$(ls | grep -c eml)
cat >"$n.eml"
echo "$@" >"$n.args"
"""


class Mail(LedgerCase):
    def settings(self, work):
        self.box = os.path.join(work, "box")
        os.mkdir(self.box)
        program = os.path.join(work, "sendmail")
        with open(program, "w") as f:
            f.write(FAKE % {"box": self.box})
        os.chmod(program, 0o755)
        return super().settings(work).replace(
            "name: Jeunesse,", 'name: "%s", mail: [chef@ville.example, '
            "adjointe.dej+sobre@ville.example]," % NAME).replace(
            "name: Commune,", "name: Commune, mail: com@ville.example,") + \
            "mail: { from: empreinte@ville.example, to: dgs@ville.example, " \
            "program: %s }\n" % program

    def a_month(self):
        self.write("Ville/Jeunesse/a", seeded(1, 200_000))
        self.write("Ville/b", seeded(2, 100_000))
        self.released()
        self.at(END + 2 * HOUR)

    def close(self, *options):
        self.drive.run("month", "close", "2026-09", "--drive",
                       self.drive.dir, *options)

    def send(self, *options, lang="fr", **kw):
        return self.drive.run("report", "--month", "2026-09", "--drive",
                              self.drive.dir, "--per-department", self.out,
                              "--mail", "--lang", lang, *options, **kw)

    def messages(self):
        found = {}
        for name in sorted(os.listdir(self.box)):
            if not name.endswith(".eml"):
                continue
            with open(os.path.join(self.box, name), "rb") as f:
                raw = f.read()
            message = email.message_from_bytes(raw,
                                               policy=email.policy.default)
            found.setdefault(message["To"], []).append((message, raw))
        return found

    def check(self, message, raw, folder, stem):
        raw.decode("ascii")
        self.assertLessEqual(max(len(line) for line in raw.splitlines()
                                 if not line.startswith(b"Message-ID")), 78)
        self.assertEqual([], list(message.defects))
        self.assertEqual("multipart/mixed", message.get_content_type())
        self.assertEqual("empreinte@ville.example", message["From"])
        self.assertEqual("auto-generated", message["Auto-Submitted"])
        self.assertEqual(
            END + 2 * HOUR,
            email.utils.parsedate_to_datetime(message["Date"]).timestamp())
        both, *files = message.iter_parts()
        self.assertEqual("multipart/alternative", both.get_content_type())
        text, html = both.iter_parts()
        self.assertEqual("text/plain", text.get_content_type())
        self.assertIn("Électricité\u00a0: ", text.get_content())
        there = {name: open(os.path.join(folder, name), "rb").read()
                 for name in os.listdir(folder)}
        self.assertEqual(there.pop(stem + ".html").decode(),
                         html.get_content().replace("\r\n", "\n"))
        self.assertEqual(there, {f.get_filename():
                                 f.get_payload(decode=True) for f in files})
        self.assertIn(stem + "-tableur.csv", there)
        for part in (both, *files):
            self.assertEqual([], list(part.defects))

    def test_each_gets_its_own_and_once(self):
        self.a_month()
        done = self.send(check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("n’est pas clos", done.stderr)
        self.assertEqual([], os.listdir(self.box))
        self.close()
        said = self.send().stdout
        for line in ("envoyé : dej", "  adjointe.dej+sobre@ville.example",
                     "envoyé : com", "envoyé : _city"):
            self.assertIn(line + "\n", said)
        got = self.messages()
        self.assertEqual({"chef@ville.example, "
                          "adjointe.dej+sobre@ville.example",
                          "com@ville.example", "dgs@ville.example"},
                         set(got))
        for to, name, stem in (
                ("chef@ville.example, adjointe.dej+sobre@ville.example",
                 "dej", "dej"), ("com@ville.example", "com", "com"),
                ("dgs@ville.example", "_city", "index")):
            (message, raw), = got[to]
            self.check(message, raw, os.path.join(self.out, name, "2026-09"),
                       stem)
        (message, _), = got["chef@ville.example, "
                            "adjointe.dej+sobre@ville.example"]
        self.assertEqual("%s, septembre\u00a02026\u00a0: empreinte des fichiers"
                         % NAME, message["Subject"])
        with open(os.path.join(self.box, "0.args")) as f:
            self.assertEqual("-t -i\n", f.read())
        said = self.send().stdout
        self.assertIn("déjà envoyé : dej", said)
        self.assertEqual(got.keys(), self.messages().keys())
        self.assertEqual([1, 1, 1], [len(v) for v in self.messages().values()])
        self.close("--correct", "compteur relu")
        self.send()
        self.assertEqual([2, 2, 2], [len(v) for v in self.messages().values()])
        self.send("--again")
        sent = self.messages()
        self.assertEqual([3, 3, 3], [len(v) for v in sent.values()])
        ids = [m["Message-ID"] for v in sent.values() for m, _ in v]
        self.assertTrue(all(i.endswith("@ville.example>") for i in ids), ids)

    def test_what_failed_is_told_and_sent_the_next_time(self):
        self.a_month()
        self.close()
        fail = os.path.join(self.box, "fail")
        with open(fail, "w"):
            pass
        done = self.send(check=False, lang="en")
        self.assertEqual(1, done.returncode)
        self.assertIn("not sent: dej:", done.stderr)
        self.assertIn("exit status 75: the queue is full", done.stderr)
        done = self.drive.run("report", "--month", "2026-09", "--drive",
                              self.drive.dir, "--per-department", self.out,
                              "--mail", "--json", check=False)
        self.assertEqual(1, done.returncode)
        os.unlink(fail)
        self.send()
        self.assertEqual(3, len(self.messages()))

    def test_who_may_write_drive_yaml_does_not_run_programs_as_root(self):
        self.a_month()
        self.close()
        os.chmod(self.config, 0o666)
        done = self.send(check=False, lang="en")
        self.assertEqual(1, done.returncode)
        self.assertIn("others may write it", done.stderr)
        self.assertEqual([], os.listdir(self.box))
        self.drive.stop()
        refused = drive.Drive(self.lower, sobre=env.SOBRE_FAULT,
                              environ={"SOBRE_CLOCK": self.clock},
                              options=("--config", self.config))
        self.addCleanup(refused.clean)
        try:
            self.assertNotEqual(0, refused.start().wait())
        except drive.MountFailed:
            pass  # before it was seen mounted
        self.assertIn("others may write it", refused.said())
        refused.clean()
        os.chmod(self.config, 0o644)
        self.drive = self.mount()
        self.send()
        self.assertEqual(3, len(self.messages()))

    def test_without_a_sender_nothing_is_sent(self):
        with open(self.config) as f:
            text = f.read()
        with open(self.config, "w") as f:
            f.write("".join(line for line in text.splitlines(True)
                            if not line.startswith("mail:")))
        self.drive.stop()
        self.drive = self.mount()
        self.a_month()
        self.close()
        self.assertNotIn("envoyé", self.send().stdout)
        self.assertEqual([], os.listdir(self.box))


if __name__ == "__main__":
    env.main()
