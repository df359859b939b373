"""Messages to the service."""

import os
from errno import EBADF

from .descriptors import lost, take_stdout
from .text import to_json


class Messages:
    """What is written comes out when it is much, or at `flush`."""

    def __init__(self):
        self.out = os.fdopen(take_stdout(), "wb", 64 * 1024)

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
        except OSError as error:
            if error.errno != EBADF:
                raise
            lost()

    def flush(self):
        self.write(b"", flush=True)
