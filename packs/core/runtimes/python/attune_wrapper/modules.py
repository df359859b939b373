"""The files that a host has loaded; those that were used last, up to a number.

What is forgotten takes its helpers with it, those that none of the files that stay imports. A module refers to its
functions and they to it, so the memory is free when Python has looked for such circles: at the latest after a tenth of the
files that are kept was forgotten, for it takes as long as loading some files."""

import gc
import os
import sys
from collections import OrderedDict

from .neighbours import Neighbours
from .program import Program


class Loaded:
    """A file that ran once; `call` is what its function is called by."""

    def __init__(self, path, signature, make, neighbours):
        program = Program(path)
        self.signature = signature
        self.directory = neighbours.directory
        self.wants_context = b"SENSOR_CONTEXT" in program.source
        self.call = make(program)
        self.module = program.module
        #: The helpers that it may import.
        self.uses = neighbours.named_in(program.code)


class Modules:
    """The `most` files that were used last."""

    def __init__(self, most):
        self.most = most
        self.loaded = OrderedDict()
        #: Files that could not be loaded, as they were then.
        self.failed = {}
        self.neighbours = Neighbours()
        self.forgotten = 0

    def get(self, path, make):
        """The file as it is now; `make(program)` runs it if it has not been run."""
        signature = signature_of(path)
        self.neighbours.enter(os.path.dirname(path))
        sys.argv = [path]
        found = self.loaded.get((path, make))
        if found is None or found.signature != signature:
            found = self.load(path, signature, make)
        sys.modules[found.module.__name__] = found.module
        self.loaded.move_to_end((path, make))
        return found

    def load(self, path, signature, make):
        key = path, make
        if self.loaded.pop(key, None) is not None or self.failed.pop(key, signature) != signature:
            # What it imports may have changed with it.
            self.neighbours.forget()
            self.count()
        try:
            found = self.loaded[key] = Loaded(path, signature, make, self.neighbours)
        except BaseException:
            self.failed[key] = signature
            raise
        while len(self.loaded) > self.most:
            (oldest, _), evicted = self.loaded.popitem(last=False)
            self.evict(oldest, evicted)
        return found

    def evict(self, path, evicted):
        def stay():
            return (each for each in reversed(self.loaded.values()) if each.directory == evicted.directory)

        self.neighbours.release(evicted, stay)
        if "linecache" in sys.modules:
            # Where tracebacks find the lines that they show.
            sys.modules["linecache"].cache.pop(path, None)
        self.count()

    def count(self):
        self.forgotten += 1
        if self.forgotten * 10 >= self.most:
            self.forgotten = 0
            gc.collect()


def signature_of(path):
    stat = os.stat(path)
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
