#!/usr/bin/env python3
"""Runs a sensor or an action written in Python: `run.py ENTRYPOINT`.

A sensor is a file with a top-level function `poll_sensor(config)` or `poll_sensor(config, state)`. What it yields or
returns goes to stdout as NDJSON, one message a line; what it prints is log, also when a subprocess prints it. A file
without that function is a plain program: it prints one JSON object with `events`, which is passed on event by event.

A streaming sensor is a file with a top-level function `stream_sensor(attune)`; a file without it runs as a script, which
may `import attune`.

An action is a file with a top-level function `run(**params)`, whose returned value is the result; a file without it runs
as a script, with the parameters on stdin, and its result is what it prints.

Python 3.8 and the standard library are enough. Each way imports what it needs, and no more: a start is most of what a
poll costs.
"""

import os
import sys


from attune_wrapper.place import enter


def main():
    path = os.path.abspath(sys.argv[1])
    run = way()
    enter(path)
    sys.exit(run(path))


def way():
    if "SENSOR_CONTEXT" not in os.environ:
        from attune_wrapper.action import run

        return run
    from attune_wrapper.context import context

    if context().get("mode") == "stream":
        from attune_wrapper.stream import stream

        return stream
    from attune_wrapper.sensor import poll

    return poll


if __name__ == "__main__":
    main()
