# SPDX-License-Identifier: EUPL-1.2
"""Samba serves the mount as it serves ext4, packed files included. The
configuration is tests/conformance/smb.conf, which docs/samba.md explains."""
import hashlib
import os
import re
import threading
import time
import unittest

import drive
import env
import sample
import smb_session
import smbd
import tree

LACK = smbd.missing() or smb_session.missing()
LONG = "é" * 120 + ".txt"  # 240 bytes and more in the lower
# Speeds, and the dates that `ls` closes its lines with.
VARIES = re.compile(r" \([0-9.]+ (Kilo|kb/s).*|  \w{3} \w{3} [ :0-9]+$")
NAMES = ("Délibération n° 12 - école.docx", "cœur d'Œuvre (été).txt",
         "a & b #1 %20 [x].txt", "日本語.txt", LONG)


class Place:
    """A directory of a share; `dir` is the same one without Samba."""

    def __init__(self, test, share, path, name, between=lambda: None):
        self.test = test
        self.share = share
        self.name = name
        self.dir = os.path.join(path, name)
        self.between = between
        self.sessions = []
        os.mkdir(self.dir)
        smbd.give_to_agents(self.dir)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def smb(self, *commands, agent="agent1"):
        """What smbclient says of them, without what differs each time."""
        done = self.test.server.smbclient(
            "; ".join(("cd " + self.name,) + commands), self.share, agent,
            check=False, cwd=self.test.local)
        said = done.stdout + done.stderr
        return [VARIES.sub("", line)
                for line in said.replace(self.name, "DIR").splitlines()
                if "blocks of size" not in line]

    def session(self, agent="agent1"):
        s = smb_session.Session(self.test.server, self.share, agent,
                                smbd.PASSWORD)
        self.test.addCleanup(s.end)
        return s

    def at(self, name):
        return "%s/%s" % (self.name, name)


def without(lines, drop):
    return [x for x in lines if not re.match(drop, x)]


def files(p):
    """Put, get, rename, delete, directories; names as people write them."""
    said = p.smb("mkdir Marchés", *['put grand "%s"' % n for n in NAMES],
                 "put énorme énorme.bin", "put vide vide")
    p.between()
    said += p.smb("get énorme.bin retour", "ls")
    same = hashlib.sha256(tree.read_all(
        os.path.join(p.test.local, "retour"))).hexdigest()
    said += p.smb('rename "%s" "Marchés/suite.docx"' % NAMES[0],
                  "rename énorme.bin Énorme.bin", "rmdir Marchés",
                  'del "%s"' % NAMES[3], "get rien retour")
    p.between()
    said += p.smb("put vide Énorme.bin", "cd Marchés", "ls", "cd ..",
                  "deltree Marchés", "ls")
    return same, said


def case_folds(p):
    """Windows finds a name however it is written."""
    said = p.smb("put grand Budget.TXT", "mkdir Été")
    p.between()
    return said + p.smb("get BUDGET.txt retour", "cd été",
                        "put grand x", "cd ..", "rename budget.txt été/B.txt",
                        "cd ÉTÉ", "ls b.TXT")[:1] + sorted(
                            os.listdir(p.path("Été")))


def attributes(p):
    """DOS attributes and times; packing changes none of them."""
    when = ["%d:0%d:0%d-10:00:00" % (2001 + i, i + 1, i + 1)
            for i in range(4)]
    said = p.smb("put grand a", "setmode a +rhs", "put grand b",
                 "setmode b +a", "mkdir d", "setmode d +h",
                 "utimes b " + " ".join(when))
    infos = []
    for _ in range(2):
        infos.append(p.smb("allinfo a", "allinfo b", "allinfo d"))
        p.between()
    p.test.assertEqual(infos[0], infos[1], "packing shows")
    said += without(infos[0], r"(create|access|write|change)_")
    said += [x for x in infos[0] if "2001" in x or "2003" in x]
    said += p.smb("del a", "setmode a -rhs", "del a", "ls b")[:1]
    return said


def streams(p):
    """Named streams live in xattrs, and stay when the data is packed."""
    said = p.smb("put grand a", "put petit a:Zone.Identifier",
                 "put petit a:résumé")
    p.between()
    said += p.smb("get a:résumé retour")
    said.append(tree.read_all(os.path.join(p.test.local, "retour")))
    said += without(p.smb("allinfo a"), "[a-z]+_time")
    said += p.smb("rename a b")
    p.between()
    said += p.smb("del b:résumé", "get b:Zone.Identifier retour",
                  "get b retour")
    said.append(hashlib.sha256(tree.read_all(
        os.path.join(p.test.local, "retour"))).hexdigest())
    return said + without(p.smb("allinfo b"), "[a-z]+_time")


def access_lists(p):
    """Windows' own access lists: kept, and obeyed."""
    def smbcacls(*args, name="a"):
        done = env.run("smbcacls", "//127.0.0.1/" + p.share, p.at(name),
                       "-s", p.test.server.conf, "-U",
                       "agent1%" + smbd.PASSWORD, *args, check=False)
        return (done.stdout + done.stderr).splitlines()

    said = p.smb("put grand a", "put grand b")
    said += smbcacls("-a", "ACL:agent2:DENIED/0x0/R")
    p.between()
    said += smbcacls() + p.smb("get a retour", "get b retour",
                               agent="agent2")
    said += smbcacls("-D", "ACL:agent2:DENIED/0x0/R")
    p.between()
    return said + smbcacls() + p.smb("get a retour", agent="agent2")


def in_place(p):
    """Reads and writes of part of a file that is kept open."""
    p.smb("put énorme a")
    p.between()
    s = p.session()
    h = s.open(p.at("a"))
    said = [s.read(h, 1 << 20, 100)]
    p.between()
    s.write(h, 1 << 20, b"ici")
    p.between()
    s.write(h, 5 << 20, b"loin")
    said.append(s.read(h, (1 << 20) - 2, 10))
    s.close(h)
    p.between()
    h = s.open(p.at("a"), smb_session.READ)
    said.append(s.read(h, (1 << 20) - 2, 10))
    s.close(h)
    h = s.open(p.at("a"), disposition=smb_session.OVERWRITE_IF)
    said.append(s.read(h, 0, 10) if os.path.getsize(p.path("a")) else b"")
    s.close(h)
    return said


def sharing(p):
    """What one has open, another may not delete, rename or write; neither
    may when the file is packed."""
    p.smb("put grand a")
    p.between()
    one, two = p.session(), p.session("agent2")
    h = one.open(p.at("a"), smb_session.READ, smb_session.SHARE_READ)
    said = []
    for what in (lambda: two.open(p.at("a"), smb_session.READ | 2),
                 lambda: two.open(p.at("a"), smb_session.DELETE),
                 lambda: two.rename(p.at("a"), p.at("b"))):
        try:
            what()
            said.append("done")
        except smb_session.Refused as e:
            said.append(str(e))
    k = two.open(p.at("a"), smb_session.READ, smb_session.SHARE_READ)
    said.append(two.read(k, 0, 20))
    two.close(k)
    one.close(h)
    p.between()
    two.rename(p.at("a"), p.at("b"))
    return said


def copies(p):
    """The server's own copy, whole and into a file that is there."""
    said = p.smb("put énorme a", "put grand b")
    p.between()
    said += p.smb("scopy a c")
    p.between()
    return said + p.smb("reput grand b", "get c retour"), hashlib.sha256(
        tree.read_all(os.path.join(p.test.local, "retour"))).hexdigest()


def told(p):
    """Changes, by other clients and on the server, reach who waits for
    them; packing is no change."""
    p.smb("put grand a", "put grand b", "mkdir d")
    watcher, other = p.session(), p.session("agent2")
    w = watcher.watch(p.name)
    h = other.open(p.at("d/x"), disposition=smb_session.CREATE)
    other.write(h, 0, b"x")
    other.close(h)
    p.between()
    other.rename(p.at("a"), p.at("A2"))
    p.between()
    os.rename(p.path("b"), p.path("B2"))  # not through Samba
    sample.put(p.path("local"), b"x")
    p.between()
    os.unlink(p.path("local"))
    os.mkdir(p.path("fin"))
    seen = []
    while ("fin", "added") not in seen:
        seen += watcher.changes(w)
    # Which changes of the same kind are told once is a matter of time.
    return sorted(set(seen))


@unittest.skipIf(LACK, LACK)
class Samba(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        smbd.isolate()
        cls.image = env.Image("ext4", 1024)
        cls.native = cls.image.mkdir("native")
        cls.drive = drive.Drive(cls.image.mkdir("drive")).start()
        cls.server = smbd.Smbd({"ext4": ("ville", cls.native),
                                "drive": ("ville", cls.drive.dir)}).start()
        cls.local = env.tmp("local")
        for name, data in (("petit", b"[ZoneTransfer]\r\nZoneId=3\r\n"),
                           ("grand", sample.text("grand", 200_000)),
                           ("vide", b""),
                           ("énorme", sample.text("énorme", 4 << 20) +
                            sample.noise("énorme", 2 << 20))):
            sample.put(os.path.join(cls.local, name), data)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.drive.__exit__(None, None, None)
        cls.image.umount()

    def same(self, scenario):
        """On ext4, on the drive, and there with everything packed between
        the steps: the same answers, the same trees."""
        name = "AT-" + scenario.__name__
        packing = name + "-packed"
        places = [("ext4", self.native, name, lambda: None),
                  ("drive", self.drive.dir, name, lambda: None),
                  ("drive", self.drive.dir, packing,
                   lambda: self.drive.pack(packing))]
        want = None
        for place in places:
            p = Place(self, *place)
            got = (scenario(p), tree.snapshot(p.dir, tree.SAME_STEPS))
            for entry in got[1].values():
                # They hold creation times, and hashes of access lists.
                entry["xattrs"] = sorted(entry["xattrs"])
            if want is None:
                want = got
                continue
            self.assertEqual(want[0], got[0], place)
            tree.assert_same(self, want[1], got[1], what=str(place))

    def test_files(self):
        self.same(files)

    def test_case_folds(self):
        self.same(case_folds)

    def test_attributes(self):
        self.same(attributes)

    def test_streams(self):
        self.same(streams)

    def test_access_lists(self):
        self.same(access_lists)

    def test_in_place(self):
        self.same(in_place)

    def test_sharing(self):
        self.same(sharing)

    def test_copies(self):
        self.same(copies)

    def test_told(self):
        self.same(told)

    def test_reading_leaves_it_packed_and_writing_does_not(self):
        p = Place(self, "drive", self.drive.dir, "states")
        p.smb("put énorme a", "put énorme b")
        self.drive.pack("states")
        self.assertTrue(self.drive.is_packed("states/a"))
        said = p.smb("get a retour", "setmode a +h", "allinfo a", "ls",
                     "rename a c")
        self.assertTrue(self.drive.is_packed("states/c"), said)
        s = p.session()
        h = s.open(p.at("c"))  # to look: as Office does
        s.read(h, 0, 100)
        self.assertTrue(self.drive.is_packed("states/c"))
        s.write(h, 0, b"mot")
        self.assertFalse(self.drive.is_packed("states/c"))
        self.drive.pack("states", check=False)
        self.assertFalse(self.drive.is_packed("states/c"), "is in use")
        s.write(h, 3, b"fin")
        s.close(h)
        self.assertEqual(b"motfin", tree.read_all(p.path("c"))[:6])

    def test_agents_at_work_while_the_packer_is(self):
        """Whole files, parts of files and renames; every byte checked."""
        p = Place(self, "drive", self.drive.dir, "beside")
        stop, packed = threading.Event(), []

        def pack():
            while not stop.is_set():
                done = self.drive.pack("beside", check=False)
                packed.append("packed" in done.stdout)
                time.sleep(0.01)

        packer = threading.Thread(target=pack)
        packer.start()
        want, s = {}, p.session()
        try:
            for i in range(120):
                self._step(p, s, want, i)
        finally:
            stop.set()
            packer.join()
        self.assertTrue(packed)
        for name, data in want.items():
            self.assertEqual(data, tree.read_all(p.path(name)), name)

    def _step(self, p, s, want, i):
        name = "f%d" % (i % 12)
        if i < 12 or i % 7 == 0:
            want[name] = bytearray(sample.text(i, 30_000 + 10_000 * (i % 5)))
            h = s.open(p.at(name), disposition=smb_session.OVERWRITE_IF)
            for at in range(0, len(want[name]), 60_000):
                s.write(h, at, bytes(want[name][at:at + 60_000]))
        else:
            h = s.open(p.at(name))
            at = i * 97 % 20_000
            self.assertEqual(want[name][at:at + 5000],
                             s.read(h, at, 5000), name)
            s.write(h, at, b"<%d>" % i)
            part = b"<%d>" % i
            want[name][at:at + len(part)] = part
        s.close(h)
        if i % 5 == 0:
            s.rename(p.at(name), p.at("tmp"))
            s.rename(p.at("tmp"), p.at(name))


@unittest.skipIf(LACK, LACK)
class Connected(unittest.TestCase):
    """Clients that are connected while the drive is mounted over, or while
    its daemon dies: what docs/samba.md tells the administrator to do."""

    @classmethod
    def setUpClass(cls):
        smbd.isolate()

    def setUp(self):
        self.image = env.Image("ext4", 256)
        self.addCleanup(self.image.umount)
        self.lower = self.image.mkdir("drive")
        smbd.give_to_agents(self.lower)
        self.server = smbd.Smbd({"drive": ("ville", self.lower)}).start()
        self.addCleanup(self.server.stop)
        self.drive = drive.Drive(self.lower)
        self.addCleanup(self.drive.clean)

    def session(self):
        s = smb_session.Session(self.server, "drive",
                                password=smbd.PASSWORD)
        self.addCleanup(s.end)
        return s

    def close_share(self):
        env.run("smbcontrol", "-s", self.server.conf, "smbd", "close-share",
                "drive")

    def test_close_share_shuts_the_way_in_of_before_the_mount(self):
        s = self.session()
        h = s.open("a", disposition=smb_session.CREATE)
        s.write(h, 0, sample.text("a", 50_000))
        s.close(h)
        self.drive.start()
        self.drive.pack("a", check=False)
        self.assertFalse(self.drive.is_packed("a"))
        self.assertIn("smbd", str(self.drive.status()["ways"]))
        self.close_share()
        end = time.monotonic() + 20
        while not self.drive.is_packed("a") and time.monotonic() < end:
            self.drive.pack("a", check=False)
            time.sleep(0.2)
        self.assertTrue(self.drive.is_packed("a"))
        s = self.session()
        self.assertEqual(sample.text("a", 50_000)[:20],
                         s.read(s.open("a"), 0, 20))

    def test_close_share_brings_clients_back_after_a_crash(self):
        self.drive.start()
        s = self.session()
        h = s.open("a", disposition=smb_session.CREATE)
        s.write(h, 0, b"avant ")
        passthrough = self.drive.status()["front"]["passthrough"]["on"]
        self.drive.process.kill()
        self.drive.process.wait()
        self.drive.process = None
        with self.assertRaises(smb_session.Refused):
            s.open("a")
        self.drive.run("mount", self.lower)
        self.addCleanup(self.drive.run, "umount", self.lower, check=False)
        if passthrough:  # what is open goes on being written
            s.write(h, 6, b"apres")
            s.close(h)
        with self.assertRaises(smb_session.Refused):  # its cwd is dead
            s.open("a")
        self.close_share()
        s = self.session()  # as Windows does by itself
        self.assertEqual(b"avant apres" if passthrough else b"avant ",
                         s.read(s.open("a"), 0, 20))
        s.end()
        self.server.stop()


if __name__ == "__main__":
    env.main(["smbd", "smbclient", "smbpasswd", "smbcacls"])
