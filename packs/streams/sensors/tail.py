"""One file that lines are appended to, through rotation by renaming and by copying, also while nobody looked.

Renaming: the old file stays open and is read on for a while, the new one is read from its start. Copying and emptying: what
was not read yet is in a copy, which is known by the bytes before the place. Several rotations between two looks: files of
rotated names that nobody knows yet are read as a whole, in the order of their age.
"""

import os
import time

from cursor import Cursor
from rotated import rotated

# So many rotated files are remembered as read.
KNOWN = 1000
# How often, and after how many seconds, a file is looked for again that was not found.
TRIES, PAUSE = 10, 0.1
# Times of files are no more exact than this, in nanoseconds.
TICK = 100_000_000


class Tail:
    """`saved` is what a checkpoint keeps: the cursors, the newest change that was seen, and rotated files of about that age
    that need not be read."""

    def __init__(self, path, saved, from_start, log):
        self.path, self.log = path, log
        self.cursors, self.known = [], {}
        self.at_end = saved is None and not from_start
        self.since = saved["since"] if saved else time.time_ns()
        if saved:
            self.known = {(inode, bytes.fromhex(head)): self.since for inode, head in saved["known"]}
            self.resume(saved["cursors"])
        else:
            for file in rotated(path):
                self.know(file)

    def saved(self):
        recent = [name for name, modified in self.known.items() if name and modified >= self.since - TICK]
        return {
            "cursors": [cursor.saved() for cursor in self.cursors],
            "since": self.since,
            "known": [[inode, head.hex()] for inode, head in recent],
        }

    def read(self, most):
        """Up to so many lines, as (text, cut), and whether there may be more."""
        self.look()
        for cursor in list(self.cursors):
            at_start = cursor.offset == 0
            found = cursor.read(most)
            if found is None:
                self.rescue(cursor)
                return [], True
            if at_start:
                # It may have been copied and emptied before anything of it was read.
                self.adopt()
            self.since = max(self.since, cursor.modified)
            if found[1]:
                return found
            if cursor is not self.cursors[-1] and cursor.is_over():
                self.cursors.remove(cursor)
                self.know(cursor)
                return cursor.rest(), True
        return [], False

    def look(self):
        """Takes up the file that has the name now."""
        inode = self.inode()
        if inode is not None and (not self.cursors or self.cursors[-1].inode != inode):
            try:
                self.cursors.append(Cursor(self.path))
            except OSError:
                return
            if self.at_end:
                self.cursors[-1].to_end()
            if len(self.cursors) > 1:
                self.adopt()
        # One that comes later is new as a whole.
        self.at_end = False

    def resume(self, cursors):
        """Goes on in files that may have other names by now."""
        files = self.find({saved["inode"] for saved in cursors})
        for saved in cursors:
            if saved["inode"] in files:
                self.cursors.append(files[saved["inode"]])
                self.cursors[-1].resume(saved)
            else:
                self.log("what follows byte %d of %s is gone: it was rotated away" % (saved["offset"], self.path))
        for cursor in list(self.cursors):
            if not cursor.is_same():
                self.rescue(cursor)
        self.adopt()

    def find(self, inodes):
        """The files with these inodes. A rotation that is under way may hide one for a moment."""
        for _ in range(TRIES):
            files = {file.inode: file for file in rotated(self.path)}
            try:
                current = Cursor(self.path)
                files[current.inode] = current
            except OSError:
                pass
            if inodes <= set(files):
                break
            time.sleep(PAUSE)
        return files

    def rescue(self, cursor):
        """The file was emptied: what was not read of it is in a copy, if there is one."""
        for copy in reversed(rotated(self.path)):
            if copy.inode not in self.reading() and cursor.is_same_in(copy):
                self.know(copy)
                copy.resume(cursor.saved())
                self.cursors.insert(self.cursors.index(cursor), copy)
                break
        else:
            self.log("what followed byte %d of %s is gone: it was emptied" % (cursor.offset, self.path))
        cursor.restart()
        self.adopt()

    def adopt(self):
        """Takes up files that a rotation made and nobody read yet."""
        for file in rotated(self.path):
            if file.name() is None or file.name() in self.known:
                continue
            if file.inode in self.reading() or file.modified < self.since - TICK:
                self.know(file)
            elif not self.is_copy(file):
                self.know(file)
                self.cursors.insert(self.before_current(), file)

    def is_copy(self, file):
        """Whether it holds what is read elsewhere. Of what is emptied before any of it was read this is asked again."""
        for cursor in self.cursors:
            if cursor.offset == 0 and cursor.name() and file.name()[1] == cursor.name()[1]:
                return True
            if cursor.offset and cursor.is_same_in(file):
                self.know(file)
                return True
        return False

    def know(self, file):
        self.known.pop(file.name(), None)
        self.known[file.name()] = file.modified
        while len(self.known) > KNOWN:
            del self.known[next(iter(self.known))]

    def before_current(self):
        is_current = self.cursors and self.cursors[-1].inode == self.inode()
        return len(self.cursors) - 1 if is_current else len(self.cursors)

    def reading(self):
        return {cursor.inode for cursor in self.cursors}

    def inode(self):
        try:
            return os.stat(self.path).st_ino
        except OSError:
            return None
