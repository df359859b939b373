"""The files that rotations made of one."""

import os
import re
import time

from cursor import Cursor

# What a rotation appends to a name; what is packed can not be read.
SUFFIX = re.compile(r"[.-](\d[-.:_T\d]*|old|prev)")
# A rotation that renames many files is over soon.
TRIES, PAUSE = 50, 0.005


def rotated(path):
    """All of them, opened, with the oldest first."""
    before = None
    for _ in range(TRIES):
        found = entries(path)
        if found == before:
            break
        before = found
        time.sleep(PAUSE)
    files = {}
    for name, _ in found:
        try:
            file = Cursor(name)
        except OSError:
            # Gone in this moment.
            continue
        files[file.inode] = file
    return sorted(files.values(), key=lambda file: file.modified)


def entries(path):
    """Their paths and inodes."""
    directory, own = os.path.split(path)
    try:
        there = list(os.scandir(directory or "."))
    except OSError:
        return []
    return sorted(
        (entry.path, entry.inode())
        for entry in there
        if entry.name.startswith(own) and SUFFIX.fullmatch(entry.name, len(own)) and entry.is_file()
    )
