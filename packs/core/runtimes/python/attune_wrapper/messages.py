"""The real stdin and stdout, for the wrapper alone."""

import os
import sys

from .text import to_json


def take_stdout():
    """The real stdout; from here on whatever prints, prints to the log."""
    sys.stdout.flush()
    # The copy is not inherited by subprocesses.
    real = os.fdopen(os.dup(1), "wb", 64 * 1024)
    os.dup2(2, 1)
    return real


def take_stdin():
    """The real stdin, as a descriptor; whoever else reads it finds it empty."""
    real = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return real


class Messages:
    """What is written comes out when it is much, or at `flush`."""

    def __init__(self):
        self.out = take_stdout()

    def send(self, message, what=None, allow_nan=True):
        self.write(to_json(message, what, allow_nan) + b"\n")

    def write(self, line, flush=False):
        try:
            self.out.write(line)
            if flush:
                self.out.flush()
        except BrokenPipeError:
            # Nobody listens any more. The author's own broken pipes do not come here.
            os._exit(1)

    def flush(self):
        self.write(b"", flush=True)
