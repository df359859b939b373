"""The modules of authors, which are found beside their files or where these have looked.

A file and its neighbours are as good as alone in the process: two directories may both have a `common.py`. So what came
while a file of a directory ran is in `sys.modules` only while one of them runs, unless it is a library's; and so is what
they did to `sys.path`."""

import importlib
import os
import sys

from . import helpers
from .place import LIBRARIES

# Below these are the modules that all share: Python's, the environment's, the wrapper's.
SHARED = tuple(os.path.join(path, "") for path in [*LIBRARIES, os.path.dirname(os.path.dirname(__file__))] if path)


class Neighbours:
    def __init__(self):
        self.directory = None
        #: Names of modules that are no author's.
        self.shared = set()
        #: By directory, what was found there while it was left: modules and `sys.path`.
        self.aside = {}
        #: By directory, when it was last changed, and its names.
        self.listed = {}

    def enter(self, directory):
        if directory == self.directory:
            return
        if self.directory is not None:
            self.aside[self.directory] = self.take(), sys.path
        self.directory = directory
        modules, sys.path = self.aside.pop(directory, None) or ({}, [directory, *LIBRARIES])
        sys.modules.update(modules)

    def take(self):
        """The modules of the directory that is left, which others must not find."""
        return {name: sys.modules.pop(name) for name in self.own(sys.modules)}

    def forget(self):
        """Has everything of this directory imported anew."""
        self.take()
        importlib.invalidate_caches()

    def named_in(self, code):
        """What can be imported here, of all that the code names. As often as files are loaded, `sys.path` is put right."""
        sys.path = list(dict.fromkeys(sys.path))
        named = helpers.names(code)
        places = [path for path in sys.path if path not in LIBRARIES]
        return tuple(name for place in places for name in named & self.importable(place))

    def importable(self, place):
        """The names of what could be a module in a directory."""
        try:
            changed = os.stat(place).st_mtime_ns
            if self.listed.get(place, (None,))[0] != changed:
                self.listed[place] = changed, {entry.partition(".")[0] for entry in os.listdir(place)}
            return self.listed[place][1]
        except OSError:
            return set()

    def release(self, evicted, stay):
        """Lets go of a file, and of what only it imports; of all when no other file of its directory is loaded. `stay()`
        gives these."""
        directory, module = evicted.directory, evicted.module
        modules = sys.modules if directory == self.directory else self.aside.get(directory, ({},))[0]
        if modules.get(module.__name__) is module:
            del modules[module.__name__]
        if next(stay(), None) is None:
            gone = self.own(modules)
            self.aside.pop(directory, None)
        elif helpers.are_shared(evicted.uses, stay()):
            return
        else:
            gone = helpers.only_of(evicted, stay(), {name: modules[name] for name in self.own(modules)})
        for name in gone:
            modules.pop(name, None)

    def own(self, modules):
        """The names of those that are an author's."""
        names = list(modules.keys() - self.shared)
        authors = [name for name in names if is_authors(modules[name])]
        if modules is sys.modules:
            self.shared.update(set(names).difference(authors))
        return authors


def is_authors(module):
    try:
        path = getattr(module, "__file__", None)
        if path is None:
            # A directory without `__init__.py` has only a list of places.
            path = next(iter(getattr(module, "__path__", ())), None)
    except Exception:
        # Some libraries have modules that import what they are asked for, or fail to.
        return False
    return isinstance(path, str) and os.path.isabs(path) and not path.startswith(SHARED)
