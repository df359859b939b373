"""Where the author's file believes itself to be: beside its neighbours, which come first when something is imported."""

import os
import sys


class Undisturbed:
    """Within it imports are the wrapper's own, whatever names the author's files have."""

    def __enter__(self):
        self.directory = sys.path.pop(0)

    def __exit__(self, *_):
        sys.path.insert(0, self.directory)


undisturbed = Undisturbed()


def enter(path):
    """As if `python PATH` had been typed; gives the file's directory."""
    sys.argv = [path]
    sys.path[0] = os.path.dirname(path)
    return sys.path[0]
