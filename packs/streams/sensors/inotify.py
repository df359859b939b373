"""What the kernel tells of directories (inotify), without a package."""

import ctypes
import os
import select
import struct

CLOSE_WRITE, MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
OVERFLOW, IGNORED = 0x4000, 0x8000
ONLYDIR = 0x01000000
# It reports as well when the directory itself goes.
GONE = 0x400 | 0x800 | IGNORED

HEADER = struct.Struct("iIII")


class Inotify:
    """Watches of directories, and what they tell: (watch, mask, name)."""

    def __init__(self):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise fault("inotify_init1")

    def add(self, directory):
        mask = CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE | GONE & ~IGNORED | ONLYDIR
        watch = self.libc.inotify_add_watch(self.fd, os.fsencode(directory), mask)
        if watch < 0:
            raise fault(directory)
        return watch

    def remove(self, watch):
        # It may be gone with its directory already.
        self.libc.inotify_rm_watch(self.fd, watch)

    def wait(self, seconds):
        """What happened, as soon as anything did."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return []
        return list(self.events(os.read(self.fd, 64 * 1024)))

    def events(self, data):
        while data:
            watch, mask, _, length = HEADER.unpack_from(data)
            end = HEADER.size + length
            yield watch, mask, os.fsdecode(data[HEADER.size:end].rstrip(b"\0"))
            data = data[end:]


def fault(what):
    code = ctypes.get_errno()
    return OSError(code, os.strerror(code), what)
