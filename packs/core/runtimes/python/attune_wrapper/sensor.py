"""A polled sensor: one poll of a function, and one poll by a process of its own."""

import sys

from .context import context
from .descriptors import keep_from_forks
from .events import Events
from .failure import message_of, traceback_of
from .messages import Messages
from .place import undisturbed
from .program import Program
from .text import read_stdin

NAME = "poll_sensor"
CONTACT = "contact"


def poll(path):
    """The poll of this process; gives its exit code."""
    messages = Messages()
    keep_from_forks(messages.out.fileno())
    try:
        poll_file(path, messages)
        messages.send({"type": "done"})
        code = 0
    except BaseException as error:  # also SystemExit and KeyboardInterrupt: the service must hear of it
        messages.send({"type": "error", "message": message_of(error), "traceback": traceback_of(error)})
        code = 1
    messages.flush()
    return code


def poll_file(path, messages):
    program = Program(path)
    if not program.defines(NAME):
        with undisturbed:
            from .plain import poll_script
        return poll_script(program, messages)
    polled = Polled(program)
    polled.poll(read_stdin(), context().get("state") or {}, messages)


class Polled:
    """A file that was run once, so that its function can be called."""

    def __init__(self, program):
        if program.gives_nothing(NAME):
            sys.stderr.write("%s neither yields nor returns anything, so it never has an event\n" % NAME)
        self.function = program.function(NAME, program.scope())
        self.arguments = wanted(self.function)

    def poll(self, config, state, messages):
        arguments = [config, state, lambda: messages.send({"type": "contact"})][: self.arguments]
        Events(NAME, messages.send).take(self.function(*arguments))
        if len(arguments) > 1:
            messages.send({"type": "state", "state": state}, "the state")


def wanted(function):
    """How many of (config, state, contact) the function takes. The third one it has to call by that name."""
    names = positional(function)
    return 3 if names[2:3] == [CONTACT] else min(2, len(names))


def positional(function):
    """The names of its positional parameters."""
    code = getattr(function, "__code__", None)
    # What is no plain function, or stands for another one, is asked the slow way.
    if code is not None and not hasattr(function, "__wrapped__") and not hasattr(function, "__self__"):
        return list(code.co_varnames[: code.co_argcount])
    with undisturbed:
        import inspect
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [name for name, parameter in inspect.signature(function).parameters.items() if parameter.kind in kinds]
