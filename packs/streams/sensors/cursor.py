"""A place in a file that lines are appended to."""

import os
import time

CHUNK = 1024 * 1024
# A longer line is cut.
LONGEST = 256 * 1024
# As much before a place is compared, to see that the file is still the same.
MARK = 256
# As much of its start tells a file from others that had its inode before.
HEAD = 64
# A file that was rotated away may be written to for so many seconds more.
LINGER = 10.0


class Cursor:
    """Behind the last whole line that was read. The file stays open, so that its inode names no other meanwhile."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        found = os.fstat(self.fd)
        self.inode, self.modified = found.st_ino, found.st_mtime_ns
        self.restart()
        self.grew = time.monotonic()

    def __del__(self):
        if hasattr(self, "fd"):
            os.close(self.fd)

    def saved(self):
        return {
            "inode": self.inode,
            "offset": self.offset,
            "mark": self.mark.hex(),
            "skipping": self.skipping,
        }

    def resume(self, saved):
        self.offset, self.mark = saved["offset"], bytes.fromhex(saved["mark"])
        self.skipping = saved["skipping"]

    def restart(self):
        self.offset, self.mark, self.skipping = 0, b"", False

    def to_end(self):
        """Behind the last whole line: one that is being written counts."""
        size = os.fstat(self.fd).st_size
        start = max(0, size - CHUNK)
        text = os.pread(self.fd, CHUNK, start)
        whole = text.rfind(b"\n") + 1
        self.offset, self.mark = start + whole, text[max(0, whole - MARK) : whole]

    def name(self):
        """What tells the file from others, whatever it is called by now; None while it is empty."""
        head = os.pread(self.fd, HEAD, 0)
        return (self.inode, head) if head else None

    def is_same(self):
        """Whether what was read is still what stands there."""
        return self.is_same_in(self)

    def is_same_in(self, other):
        """Whether what was read stands in another file as well."""
        return os.pread(other.fd, len(self.mark), self.offset - len(self.mark)) == self.mark

    def read(self, most):
        """Up to so many lines, as (text, cut), and whether anything was read; None when the file is no longer the same."""
        self.modified = os.fstat(self.fd).st_mtime_ns
        # In one read, so that what is compared and what is taken are of one moment.
        data = os.pread(self.fd, len(self.mark) + CHUNK, self.offset - len(self.mark))
        if data[: len(self.mark)] != self.mark:
            return None
        lines, taken = self.split(data[len(self.mark) :], most)
        if taken:
            self.grew = time.monotonic()
            self.offset += taken
            self.mark = data[: len(self.mark) + taken][-MARK:]
        return lines, taken > 0

    def split(self, text, most):
        """The whole lines at the start of a text, and how long they are."""
        lines, start = [], 0
        while len(lines) < most and start < len(text):
            end = text.find(b"\n", start)
            if end < 0 and len(text) - start < LONGEST:
                break
            stop = len(text) if end < 0 else end
            if not self.skipping:
                lines.append((text[start : min(stop, start + LONGEST)], stop - start >= LONGEST))
            self.skipping = end < 0
            start = stop if end < 0 else end + 1
        return lines, start

    def rest(self):
        """The last line of a file that is written no more, which need not have an end."""
        text = os.pread(self.fd, LONGEST, self.offset)
        return [(text, False)] if text and not self.skipping else []

    def is_over(self):
        return time.monotonic() - self.grew >= LINGER
