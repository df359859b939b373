"""The files that a host has loaded.

A file and its neighbours are as good as alone in the process: two directories may both have a `common.py`. So the modules
that came from a directory are in `sys.modules` only while a file of that directory runs."""

import os
import sys
from collections import OrderedDict

from .place import enter
from .program import Program


class Loaded:
    """A file that ran once; `call` is what its function is called by."""

    def __init__(self, path, signature, make):
        program = Program(path)
        self.signature = signature
        self.wants_context = b"SENSOR_CONTEXT" in program.source
        self.call = make(program)


class Modules:
    """The `most` files that were used last."""

    def __init__(self, most):
        self.most = most
        self.loaded = OrderedDict()
        self.neighbours = Neighbours()

    def get(self, path, make):
        """The file as it is now; `make(program)` runs it if it has not been run."""
        signature = signature_of(path)
        self.neighbours.enter(enter(path))
        found = self.loaded.get((path, make))
        if found is None or found.signature != signature:
            found = self.load(path, signature, make)
        self.loaded.move_to_end((path, make))
        return found

    def load(self, path, signature, make):
        if self.loaded.pop((path, make), None) is not None:
            # What it imports may have changed with it.
            self.neighbours.forget()
        found = self.loaded[path, make] = Loaded(path, signature, make)
        while len(self.loaded) > self.most:
            self.loaded.popitem(last=False)
        return found


def signature_of(path):
    stat = os.stat(path)
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


class Neighbours:
    """Modules from the directories of authors."""

    def __init__(self):
        self.directory = None
        self.aside = {}

    def enter(self, directory):
        if directory == self.directory:
            return
        if self.directory is not None:
            self.aside[self.directory] = self.take()
        self.directory = directory
        sys.modules.update(self.aside.pop(directory, {}))

    def forget(self):
        self.take()

    def take(self):
        """The modules of the directory that is left, which others must not find."""
        inside = self.directory + os.sep
        names = [name for name, module in list(sys.modules.items()) if is_inside(module, inside)]
        return {name: sys.modules.pop(name) for name in names}


def is_inside(module, directory):
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and file.startswith(directory)
