"""One directory that rules ask for: which of its files are known, and which are new."""

import fnmatch
import os
import stat
import time

# So many files are remembered; of older ones only that they are older.
REMEMBERED = 1000
# A file that was found, and not told of, is complete when it has not changed for so many seconds.
SETTLED = 2.0


class Place:
    """`memory` is what a checkpoint keeps: {"files": {name: [inode, mtime, size, ctime]}, "before": ctime}."""

    def __init__(self, params, memory):
        self.params = params
        self.directory = params["directory"]
        self.is_new = memory is None
        self.memory = memory or {"files": {}, "before": 0}
        self.watch = None
        # Why it can not be watched, as it was said last.
        self.fault = None
        # Files that may still be written: their signature, since when they have it, and whether they count.
        self.unsettled = {}

    def arrived(self, name):
        """The event of a file that was closed after writing, or moved here; None when it is none, or known."""
        now = self.signature(name)
        if now is None:
            return None
        self.unsettled.pop(name, None)
        before = self.memory["files"].get(name)
        self.memory["files"][name] = now
        if before is not None and before[:3] == now[:3]:
            return None
        return {
            "event_type": "file_appeared",
            "trigger_params": self.params,
            "directory": self.directory,
            "name": name,
            "path": os.path.join(self.directory, name),
            "size": now[2],
            "change": "new" if before is None else "changed",
        }

    def created(self, name):
        """As `arrived`, for what is not written: a link is complete at once."""
        path = os.path.join(self.directory, name)
        try:
            found = os.lstat(path)
        except OSError:
            return None
        return self.arrived(name) if stat.S_ISLNK(found.st_mode) or found.st_nlink > 1 else None

    def left(self, name):
        self.memory["files"].pop(name, None)
        self.unsettled.pop(name, None)

    def look(self):
        """The events of all that came while nobody was told: before the watch, or more than the kernel could tell."""
        files, first = self.memory["files"], self.is_new
        self.is_new = False
        there = {name: self.signature(name) for name in os.listdir(self.directory)}
        for name in set(files) - set(there):
            self.left(name)
        counts = not first or self.params.get("existing", False)
        now = time.time()
        since = time.monotonic()
        for name, found in sorted(there.items(), key=lambda item: item[1][3] if item[1] else 0):
            if found is None or self.is_known(name, found):
                continue
            if now - found[1] / 1e9 < SETTLED:
                self.unsettled[name] = (found, since, counts)
            elif counts:
                yield self.arrived(name)
            else:
                files[name] = found

    def settle(self):
        """The events of files that were found and have not changed since."""
        now = time.monotonic()
        for name, (found, since, counts) in list(self.unsettled.items()):
            signature = self.signature(name)
            if signature is None:
                del self.unsettled[name]
            elif signature != found:
                self.unsettled[name] = (signature, now, counts)
            elif now - since >= SETTLED:
                event = self.arrived(name)
                if counts:
                    yield event

    def is_known(self, name, found):
        before = self.memory["files"].get(name)
        return before[:3] == found[:3] if before else found[3] <= self.memory["before"]

    def trim(self):
        """Keeps the memory small: the oldest are remembered by their age only."""
        files = self.memory["files"]
        if len(files) > 2 * REMEMBERED:
            oldest = sorted(files, key=lambda name: files[name][3])[:-REMEMBERED]
            self.memory["before"] = max(self.memory["before"], files[oldest[-1]][3])
            for name in oldest:
                del files[name]

    def signature(self, name):
        if not fnmatch.fnmatchcase(name, self.params.get("pattern", "*")):
            return None
        try:
            found = os.stat(os.path.join(self.directory, name))
        except OSError:
            return None
        regular = stat.S_ISREG(found.st_mode)
        return [found.st_ino, found.st_mtime_ns, found.st_size, found.st_ctime_ns] if regular else None
