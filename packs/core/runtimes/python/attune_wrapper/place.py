"""Where the author's file believes itself to be: beside its neighbours, which come first when something is imported."""

import os
import sys

# Where Python's own modules are, and those of the environment; before them comes the wrapper's directory.
LIBRARIES = sys.path[1:]


class Undisturbed:
    """Within it imports are the wrapper's own, whatever names the author's files have."""

    def __enter__(self):
        self.path = sys.path
        sys.path = LIBRARIES

    def __exit__(self, *_):
        sys.path = self.path


undisturbed = Undisturbed()


def enter(path):
    """As if `python PATH` had been typed."""
    sys.argv = [path]
    sys.path[0] = os.path.dirname(path)
