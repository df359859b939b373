"""A sensor that is a plain program: it prints one JSON object with `events`."""

import json
import os
import sys
import threading

from .events import Events
from .failure import Failure

# The largest output of a plain program, as the service has it.
MAX_OUTPUT = 10 * 1024 * 1024
# What a plain program's children may still print after its end, in seconds.
DRAIN = 0.5


def poll_script(program, messages):
    """Runs the file, and passes on what it prints."""
    output = PlainOutput()
    try:
        program.run_script(program.scope())
    except SystemExit as end:
        if end.code not in (None, 0):
            raise
    finally:
        printed = output.finish()
    if not printed.strip():
        raise Failure(program.lacks("poll_sensor", " and printed nothing"))
    document = plain_document(printed)
    Events("stdout", messages.send).take(document["events"])
    if document.get("state") is not None:
        messages.send({"type": "state", "state": document["state"]}, "the state")
    if document.get("contact") is True:
        messages.send({"type": "contact"})


class PlainOutput:
    """What a plain program prints to stdout, read while it runs."""

    def __init__(self):
        reader, writer = os.pipe()
        self.saved = os.dup(1)
        os.dup2(writer, 1)
        os.close(writer)
        self.chunks = []
        self.size = 0
        self.thread = threading.Thread(target=self.pump, args=(reader,), daemon=True)
        self.thread.start()

    def pump(self, reader):
        # To the end even when it is too much: a program must not block on a full pipe.
        for chunk in iter(lambda: os.read(reader, 65536), b""):
            self.size += len(chunk)
            if self.size <= MAX_OUTPUT:
                self.chunks.append(chunk)

    def finish(self):
        sys.stdout.flush()
        os.dup2(self.saved, 1)
        self.thread.join(DRAIN)
        if self.size > MAX_OUTPUT:
            raise Failure("the sensor printed more than %d bytes" % MAX_OUTPUT)
        return b"".join(self.chunks)


def plain_document(printed):
    start = printed[:200].decode("utf-8", "backslashreplace")
    try:
        document = json.loads(printed.decode("utf-8"))
    except UnicodeDecodeError:
        raise Failure("stdout is not UTF-8; it begins with %r" % start) from None
    except ValueError:
        raise Failure("stdout is no JSON; it begins with %r" % start) from None
    if not isinstance(document, dict) or not isinstance(document.get("events"), list):
        raise Failure("stdout has no array `events`; it begins with %r" % start)
    return document
