"""A streaming sensor: a function that is called with `attune`, or a script that imports it."""

import os
import sys

from .client import Attune, orders
from .events import Events
from .failure import Failure, message_of, traceback_of
from .messages import Messages
from .program import Program

NAME = "stream_sensor"
# The message by which a file is known to make checkpoints.
CHECKPOINT = "checkpoint"


class Stopped(BaseException):
    """Ends the loop of a sensor that yields its events: it was told to stop."""


def stream(path):
    messages = Messages()
    try:
        run(path, messages)
        code = 0
    except Stopped:
        code = 0
    except BaseException as error:  # also SystemExit and KeyboardInterrupt
        code = failed(error, messages)
    sys.stdout.flush()
    messages.flush()
    # Threads that are left keep nobody waiting.
    os._exit(code)


def failed(error, messages):
    if isinstance(error, SystemExit) and error.code in (None, 0):
        return 0
    messages.send({"type": "error", "message": message_of(error), "traceback": traceback_of(error)})
    return 1


def run(path, messages):
    program = Program(path)
    attune = Attune(messages, orders(), program.calls(CHECKPOINT))
    sys.modules["attune"] = attune
    if program.defines(NAME):
        return call(program, attune)
    if b"attune" not in program.source:
        raise Failure(program.lacks(NAME, " and does not import attune"))
    program.run_script(program.scope())


def call(program, attune):
    def send(message, what):
        attune.send(message, what)
        if attune.stopping:
            raise Stopped

    Events(NAME, send).take(program.function(NAME, program.scope())(attune))
