# SPDX-License-Identifier: EUPL-1.2
"""A small tree with one of everything, the same every time."""
import os
import random
import stat
import struct
import zipfile

import env

TIME_NS = 1_600_000_000_123_456_789

_WORDS = ("mairie délibération marché lot avis arrêté voirie école budget "
          "convention séance vœu procès-verbal régie crèche").split()


def text(seed, size):
    """Compressible bytes, as documents have."""
    rnd = random.Random(seed)
    parts, length = [], 0
    while length < size:
        line = (" ".join(rnd.choices(_WORDS, k=12)) + ".\n").encode()
        parts.append(line)
        length += len(line)
    return b"".join(parts)[:size]


def noise(seed, size):
    """Incompressible bytes, as photographs have."""
    return random.Random(seed).randbytes(size)


def put(path, data, mode=0o644):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, "wb") as f:
        f.write(data)


def put_sparse(path, size, parts):
    with open(path, "wb") as f:
        for at, data in parts:
            f.seek(at)
            f.write(data)
        f.truncate(size)


def put_docx(path, seed):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, size in (("word/document.xml", 60000),
                           ("word/styles.xml", 20000)):
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            z.writestr(info, text("%s %s" % (seed, name), size))
        image = zipfile.ZipInfo("word/media/logo.png", (2020, 1, 1, 0, 0, 0))
        z.writestr(image, noise("logo", 90000), zipfile.ZIP_STORED)


def acl(*entries):
    """system.posix_acl_access: (tag, perm, id) each, in the kernel's form."""
    data = struct.pack("<I", 2)
    for tag, perm, who in entries:
        data += struct.pack("<HHI", tag, perm, who)
    return data


_NONE = 0xFFFFFFFF
ACL = acl((1, 6, _NONE), (2, 4, 1234), (4, 4, _NONE), (8, 6, 2000),
          (16, 6, _NONE), (32, 0, _NONE))


def files(top):
    """Regular files only; returns their names below `top`."""
    made = {}
    for i in range(6):
        made["note %d.txt" % i] = text(i, 9000 + 7000 * i)
    made["copie de note 3.txt"] = made["note 3.txt"]
    made["photo.jpg"] = noise("photo", 700000)
    made["gros.csv"] = text("csv", 3 << 20)
    made["vide"] = b""
    made["un octet"] = b"x"
    made["4096"] = text("page", 4096)
    for name, data in made.items():
        put(os.path.join(top, name), data)
    put_docx(os.path.join(top, "Rapport.docx"), 1)
    put_docx(os.path.join(top, "Rapport v2.docx"), 2)
    put_sparse(os.path.join(top, "creux"), 5_000_001,
               [(0, text("s1", 10000)), (1 << 20, text("s2", 70000)),
                (3 << 20, noise("s3", 4096))])
    put_sparse(os.path.join(top, "trou"), 1 << 20, [])
    return sorted(list(made) + ["Rapport.docx", "Rapport v2.docx", "creux",
                                "trou"])


def everything(top):
    """Files, and all else a share may hold."""
    files(top)
    join = lambda *names: os.path.join(top, *names)
    os.makedirs(join("Ville", "Urbanisme", "été"))
    put(join("Ville", "Urbanisme", "été", "plan.txt"), text("plan", 50000))
    put(os.fsencode(top) + b"/nom \xe9\xff latin1", text("latin", 20000))
    put(join("n" * 255), text("long", 20000))
    put(join("droits"), text("droits", 30000), 0o640)
    os.chown(join("droits"), 1234, 2000)
    os.setxattr(join("droits"), "user.note", b"\0binaire\xff")
    os.setxattr(join("droits"), "system.posix_acl_access", ACL)
    put(join("lecture seule"), text("ro", 20000))
    os.chmod(join("lecture seule"), 0o444)
    os.link(join("note 1.txt"), join("Ville", "lien dur"))
    os.symlink("note 1.txt", join("lien"))
    os.symlink("/proc/version", join("dehors"))
    os.symlink("nulle part", join("cassé"))
    os.mkfifo(join("tube"))
    os.mknod(join("zero"), stat.S_IFCHR | 0o666, os.makedev(1, 5))
    os.mkdir(join("groupe"), 0o2775)
    os.chown(join("groupe"), 0, 2000)
    os.chmod(join("groupe"), 0o2775)
    settle_times(top)


def settle_times(top):
    for at, dirs, names in os.walk(os.fsencode(top), topdown=False):
        for name in names + dirs:
            os.utime(os.path.join(at, name), ns=(TIME_NS, TIME_NS),
                     follow_symlinks=False)
    os.utime(top, ns=(TIME_NS, TIME_NS))


def copy(source, target):
    env.run("cp", "-a", source, target)
