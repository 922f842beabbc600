# SPDX-License-Identifier: EUPL-1.2
"""Mappings and descriptors of the stress: made, kept beside what else happens
to the file, and used."""
import mmap
import os

from model import SIZE_MAX, Wrong

FDS_MAX = 8
MAPS_MAX = 4


class Keeping:
    def mapped(self, flags, prot, path):
        fd = self.open(path, os.O_RDWR if prot & mmap.PROT_WRITE and
                       flags == mmap.MAP_SHARED else os.O_RDONLY)
        try:
            return mmap.mmap(fd, 0, flags, prot)
        finally:
            os.close(fd)

    def store(self, m, inode):
        at = self.rnd.randrange(max(1, min(len(m), len(inode.data))))
        data = self.m.bytes(20_000)[:min(len(m), len(inode.data)) - at]
        self.say("  store", at, len(data))
        m[at:at + len(data)] = data
        if data:
            inode.written(at, data)

    def map_write(self):
        found = self.chosen()
        if not found or not found[1].data:
            return
        m = self.mapped(mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE,
                        found[0])
        for _ in range(self.rnd.randrange(1, 4)):
            self.store(m, found[1])
        if self.rnd.random() < 0.3:
            m.flush()
        m.close()

    def map_private(self):
        found = self.chosen()
        if not found or not found[1].data:
            return
        m = self.mapped(mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE,
                        found[0])
        self.check(found[0], bytes(m[:]), found[1].data)
        at = self.rnd.randrange(len(m))
        m[at:at + 100] = bytes(len(m[at:at + 100]))
        m.close()
        self.read_part()

    def all_maps(self):
        return [(i, m) for i in self.kept for m in i.maps]

    def keep(self, inode):
        self.kept = [i for i in self.kept if i.fds or i.maps]
        if inode not in self.kept:
            self.kept.append(inode)

    def map_keep(self):
        found = self.chosen()
        if not found or not found[1].data:
            return
        if len(self.all_maps()) >= MAPS_MAX:
            return self.unmap()
        found[1].maps.append(self.mapped(
            mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, found[0]))
        self.keep(found[1])

    def unmap(self):
        inode, m = self.rnd.choice(self.all_maps())
        self.say("  unmap", *sorted(inode.names))
        inode.maps.remove(m)
        m.close()

    def map_use(self):
        maps = self.all_maps()
        if not maps:
            return
        inode, m = self.rnd.choice(maps)
        self.say("  of", *sorted(inode.names))
        whole = min(len(m), len(inode.data))
        if not whole:
            return
        if self.rnd.random() < 0.5:
            self.store(m, inode)
        at = self.rnd.randrange(whole)
        self.check("a mapping of %s" % sorted(inode.names),
                   bytes(m[at:min(whole, at + 50_000)]),
                   inode.data[at:at + 50_000][:whole - at])

    # --- descriptors that are kept

    def all_fds(self):
        return [(i, f) for i in self.kept for f in i.fds]

    def open_keep(self):
        if len(self.all_fds()) >= FDS_MAX:
            return self.close_kept()
        found = self.chosen()
        if not found:
            return
        flags = self.rnd.choice((os.O_RDONLY, os.O_RDWR, os.O_WRONLY,
                                 os.O_RDWR | os.O_APPEND))
        self.say("  flags", oct(flags))
        found[1].fds.append((self.open(found[0], flags), flags))
        self.keep(found[1])

    def close_kept(self):
        fds = self.all_fds()
        if fds:
            inode, entry = self.rnd.choice(fds)
            self.say("  of", *sorted(inode.names))
            inode.fds.remove(entry)
            os.close(entry[0])

    def use_kept(self):
        fds = self.all_fds()
        if not fds:
            return
        inode, (fd, flags) = self.rnd.choice(fds)
        self.say("  of", *sorted(inode.names), oct(flags))
        how = self.rnd.randrange(4)
        if how == 0 and flags & os.O_ACCMODE != os.O_RDONLY:
            at = self.m.offset()
            if flags & os.O_APPEND:
                if len(inode.data) > SIZE_MAX:
                    return
                at = len(inode.data)
            self.write_fd(fd, inode, at)
        elif how == 1 and flags & os.O_ACCMODE != os.O_RDONLY:
            size = self.m.offset()
            self.say("  to", size)
            os.ftruncate(fd, size)
            inode.resized(size)
        elif how == 2 and flags & os.O_ACCMODE != os.O_WRONLY:
            at = self.m.offset()
            self.check(sorted(inode.names), os.pread(fd, 100_000, at),
                       inode.data[at:at + 100_000])
        else:
            size = os.fstat(fd).st_size
            if size != len(inode.data):
                raise Wrong("fstat: %d bytes, not %d" % (
                    size, len(inode.data)))

    def close_inode(self, inode):
        for fd, _flags in inode.fds:
            os.close(fd)
        for m in inode.maps:
            m.close()
        inode.fds, inode.maps = [], []

    def close_all(self):
        for inode in self.kept:
            self.close_inode(inode)
