#!/usr/bin/env python3
"""Runs a sensor or an action written in Python: `run.py ENTRYPOINT`.

A sensor is a file with a top-level function `poll_sensor(config)` or `poll_sensor(config, state)`. What it yields or
returns goes to stdout as NDJSON, one message a line; what it prints is log, also when a subprocess prints it. A file
without that function is a plain program: it prints one JSON object with `events`, which is passed on event by event.

An action is a file with a top-level function `run(**params)`, whose returned value is the result; a file without it runs
as a script, with the parameters on stdin, and its result is what it prints.

Python 3.8 and the standard library are enough.
"""

import ast
import asyncio
import datetime
import difflib
import inspect
import json
import os
import sys
import threading
import traceback
import types
from typing import Any, Dict, Iterator, List, Optional

# The largest output of a plain program, as the service has it.
MAX_OUTPUT = 10 * 1024 * 1024
MAX_ERROR = 32 * 1024
# What a plain program's children may still print after its end, in seconds.
DRAIN = 0.5


def main():
    path = os.path.abspath(sys.argv[1])
    is_sensor = "SENSOR_CONTEXT" in os.environ
    sys.argv = [path]
    sys.path[0] = os.path.dirname(path)
    if is_sensor:
        sys.exit(Sensor(path).main())
    sys.exit(run_action(path))


class Failure(Exception):
    """What is wrong is said completely by the message; no traceback would help."""


# ---------------------------------------------------------------------------------------------- the author's file


class Program:
    """The author's file, parsed but not yet run."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            source = file.read()
        try:
            self.tree = ast.parse(source, path)
            self.code = compile(source, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            # The frames are this file's and the parser's.
            raise error.with_traceback(None)

    def defines(self, name):
        return any(name in names_bound_by(statement) for statement in self.tree.body)

    def gives_nothing(self, name):
        """Whether the function is defined here and can have no result at all."""
        for statement in self.tree.body:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and statement.name == name:
                return not any(map(is_result, ast.walk(statement)))
        return False

    def lacks(self, name):
        """Says that the file has no such function, and which one the author may have meant by it."""
        functions = [bound for statement in self.tree.body for bound in names_bound_by(statement)]
        near = difflib.get_close_matches(name, functions, 1)
        hint = "; did you mean %s by %s?" % (name, near[0]) if near else ""
        return "the file defines no function %s and printed nothing%s" % (name, hint)

    def load(self, name, scope):
        """Runs the file as the module `name`, with `scope` in its namespace."""
        module = types.ModuleType(name)
        module.__file__ = self.path
        module.__dict__.update(scope)
        sys.modules[name] = module
        exec(self.code, module.__dict__)
        return module

    def load_module(self, scope):
        """Runs the file as a module, so that `if __name__ == "__main__"` is for the author's own tries."""
        stem = os.path.splitext(os.path.basename(self.path))[0]
        return self.load("attune_" + stem, scope)

    def run_script(self, scope):
        # The functions of this file still need its namespace.
        self.main = sys.modules["__main__"]
        self.load("__main__", scope)


def names_bound_by(statement):
    """The names that a top-level statement gives to the module."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        for alias in statement.names:
            yield (alias.asname or alias.name).partition(".")[0]
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        yield statement.target.id
    elif isinstance(statement, (ast.If, ast.Try, ast.With)) and not is_main_block(statement):
        for block in (statement.body, getattr(statement, "orelse", []), getattr(statement, "finalbody", [])):
            for inner in block:
                yield from names_bound_by(inner)
        for handler in getattr(statement, "handlers", []):
            for inner in handler.body:
                yield from names_bound_by(inner)


def is_result(node):
    return isinstance(node, (ast.Yield, ast.YieldFrom, ast.Raise)) or (
        isinstance(node, ast.Return) and node.value is not None
    )


def is_main_block(statement):
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )


async def awaited(value):
    return await value


# -------------------------------------------------------------------------------------------------------- stdout


def take_stdout():
    """The real stdout, for this file alone; from here on whatever prints, prints to the log."""
    sys.stdout.flush()
    # The copy is not inherited by subprocesses.
    real = os.fdopen(os.dup(1), "wb", 64 * 1024)
    os.dup2(2, 1)
    return real


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


# -------------------------------------------------------------------------------------------------------- sensors


class Sensor:
    """One poll: its messages go to `out`."""

    def __init__(self, path):
        self.path = path
        self.out = take_stdout()
        self.count = 0

    def main(self):
        try:
            self.poll()
            self.send({"type": "done"})
            code = 0
        except BaseException as error:  # also SystemExit and KeyboardInterrupt: the service must hear of it
            self.send({"type": "error", "message": message_of(error), "traceback": traceback_of(error)})
            code = 1
        self.write(b"", flush=True)
        return code

    def poll(self):
        with open(os.environ["SENSOR_CONTEXT"], encoding="utf-8") as file:
            context = json.load(file)
        program = Program(self.path)
        scope = dict(
            Any=Any, Dict=Dict, Iterator=Iterator, List=List, Optional=Optional, datetime=datetime.datetime
        )
        if program.defines("poll_sensor"):
            if program.gives_nothing("poll_sensor"):
                sys.stderr.write("poll_sensor neither yields nor returns anything, so it never has an event\n")
            self.poll_function(program.load_module(scope).poll_sensor, context)
        else:
            self.poll_script(program, scope)

    def poll_function(self, function, context):
        config = read_stdin()
        state = context.get("state") or {}
        arguments = [config, state][: positional(function)]
        result = function(*arguments)
        if inspect.isawaitable(result):
            result = asyncio.run(awaited(result))
        if hasattr(result, "__aiter__"):
            asyncio.run(self.emit_async(result))
        else:
            self.emit_all(result)
        if len(arguments) == 2:
            self.send({"type": "state", "state": state}, "the state")

    def emit_all(self, result):
        if result is None:
            return
        if isinstance(result, dict):
            result = [result]
        elif isinstance(result, (str, bytes)) or not hasattr(result, "__iter__"):
            raise Failure(
                "poll_sensor returned %s; it yields events, or returns an event (a dict), a list of events or None"
                % type(result).__name__
            )
        for event in result:
            self.emit(event)

    async def emit_async(self, events):
        async for event in events:
            self.emit(event)

    def emit(self, event):
        self.count += 1
        what = "event %d" % self.count
        if not isinstance(event, dict):
            raise Failure("%s is %s, and no dict" % (what, type(event).__name__))
        self.send({"type": "event", "payload": event}, what)

    def poll_script(self, program, scope):
        output = PlainOutput()
        try:
            program.run_script(scope)
        except SystemExit as end:
            if end.code not in (None, 0):
                raise
        finally:
            printed = output.finish()
        if not printed.strip():
            raise Failure(program.lacks("poll_sensor"))
        document = plain_document(printed)
        for event in document["events"]:
            self.emit(event)
        if document.get("state") is not None:
            self.send({"type": "state", "state": document["state"]}, "the state")

    def send(self, message, what=None):
        self.write(to_json(message, what) + b"\n")

    def write(self, line, flush=False):
        try:
            self.out.write(line)
            if flush:
                self.out.flush()
        except BrokenPipeError:
            # Nobody listens any more. The author's own broken pipes do not come here.
            os._exit(1)


def positional(function):
    """How many of (config, state) the function takes."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return min(2, sum(parameter.kind in kinds for parameter in parameters))


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


# -------------------------------------------------------------------------------------------------------- actions


def run_action(path):
    try:
        program = Program(path)
        if program.defines("run"):
            call_action(program)
        else:
            program.run_script({})
    except SystemExit:
        raise
    except BaseException as error:
        sys.stderr.write(traceback_of(error))
        return 1
    return 0


def call_action(program):
    params = read_stdin()
    out = take_stdout()
    result = program.load_module({}).run(**params)
    if inspect.isawaitable(result):
        result = asyncio.run(awaited(result))
    if result is not None:
        out.write(to_json(result, "the result", allow_nan=False) + b"\n")
    out.close()


# ----------------------------------------------------------------------------------------------------------- JSON


def read_stdin():
    text = sys.stdin.buffer.read()
    value = json.loads(text.decode("utf-8")) if text.strip() else {}
    if not isinstance(value, dict):
        raise Failure("stdin holds no JSON object")
    return value


def to_json(value, what=None, allow_nan=True):
    """One line. NaN goes through where the service sets such an event aside by itself."""
    try:
        return json.dumps(value, default=encode, allow_nan=allow_nan, separators=(",", ":")).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise Failure("%s can not be JSON: %s" % (what, error)) from None


def encode(value):
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    kind = type(value)
    raise TypeError("it holds a value of the type %s.%s" % (kind.__module__, kind.__qualname__))


# --------------------------------------------------------------------------------------------------------- errors


def message_of(error):
    if isinstance(error, SystemExit):
        return clean("the sensor called exit(%r)" % (error.code,))
    if isinstance(error, Failure):
        return clean(str(error))
    if isinstance(error, SyntaxError):
        return clean("%s: %s" % (type(error).__name__, error))
    text = "".join(traceback.format_exception_only(type(error), error)).strip()
    if isinstance(error, ModuleNotFoundError):
        text += "; Attune installs what requirements.txt at the root of the pack names"
    return clean(text)


def traceback_of(error):
    """As Python prints it, without the frames of this file."""
    if isinstance(error, Failure):
        return clean("%s\n" % error)
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    return clean("".join(traceback.format_exception(type(error), error, frames)))


def clean(text):
    """Text that is sure to be UTF-8 and not too long: its head and its tail."""
    if len(text) > MAX_ERROR:
        text = text[: MAX_ERROR // 2] + "\n...\n" + text[-MAX_ERROR // 2 :]
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode("utf-8")


if __name__ == "__main__":
    main()
