#!/usr/bin/env python3
"""A warm host: polls sensors and runs actions written in Python, one after the other, in one process: `host.py [MODULES]`.

It speaks the sensor protocol on stdin and stdout (docs/sensor-protocol.md). Files are loaded once and kept, the most
recently used MODULES of them; one that changed is loaded again. What the author's file may contain, and what its errors
look like, is as with run.py.

Whatever a poll does, the next one works: what it printed is log, what it raised is its own `error`, and only this
program can reach the real stdout. What would have to run by itself, a file without the function, is `unfit`.
"""

import sys

from attune_wrapper.host import Host
from attune_wrapper.modules import Modules

# More than the sensors that stick to one host: whoever takes turns with more files than are kept finds none of them.
# A small file takes 3 KB, and a host that grows by much more than its first files is replaced.
MOST = 5000

if __name__ == "__main__":
    Host(Modules(int(sys.argv[1]) if len(sys.argv) > 1 else MOST)).serve()
