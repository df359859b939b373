"""The loop of a host: one request, its messages, and their end."""

import json
import os
import sys
from contextlib import suppress
from resource import RUSAGE_CHILDREN, getrusage
from time import process_time

from .awaiting import settled
from .descriptors import Private, take_stdin
from .failure import message_of, traceback_of
from .messages import Messages
from .sensor import NAME as POLL_SENSOR
from .sensor import Polled
from .turn import Turn

RUN = "run"
CONTEXT = ".sensor-context.json"


class Unfit(Exception):
    """The file can only run in a process of its own."""


class Host:
    def __init__(self, modules):
        self.modules = modules
        self.requests = os.fdopen(take_stdin(), "rb", 64 * 1024)
        self.messages = Messages()
        self.private = Private(self.requests.fileno(), self.messages.out.fileno())
        self.home = os.getcwd()
        self.streams = ()
        self.tidy()
        self.ways = {"poll": self.poll, "run": self.run}

    def serve(self):
        self.messages.send({"type": "hello", "protocol": 1, "ids": True})
        self.messages.flush()
        for line in iter(self.requests.readline, b""):
            request = json.loads(line)
            if request["type"] == "stop":
                break
            # An order that came later than this program is none for it.
            way = self.ways.get(request["type"])
            if way is not None:
                self.answer(way, request)
        # What polls left behind, threads above all, keeps nobody waiting.
        os._exit(0)

    def answer(self, way, request):
        turn, before = Turn(self.messages, request["id"]), cpu_time()
        with Variables(request.get("env") or {}):
            failed = self.attempt(way, request, turn)
        if os.getpid() != turn.process:
            # The author's code forked, and this is the child, which has no say here.
            os._exit(0)
        self.private.check()
        self.tidy()
        cpu_ms = (cpu_time() - before) * 1000
        if failed is None:
            turn.done(cpu_ms)
        else:
            turn.failed(failed, cpu_ms)

    def attempt(self, way, request, turn):
        """What the answer ends with instead of `done`, if it does."""
        try:
            way(request, turn)
        except Unfit as unfit:
            return {"type": "unfit", "reason": str(unfit)}
        except BaseException as error:  # also SystemExit and KeyboardInterrupt
            who = "the sensor" if way == self.poll else "the action"
            return {"type": "error", "message": message_of(error, who), "traceback": traceback_of(error)}
        return None

    def poll(self, request, turn):
        polled = self.modules.get(request["file"], polled_file)
        state = request.get("state") or {}
        if not polled.wants_context:
            return polled.call.poll(request.get("config") or {}, state, turn)
        with Context(self.home, request):
            polled.call.poll(request.get("config") or {}, state, turn)

    def run(self, request, turn):
        function = self.modules.get(request["file"], action_file).call
        try:
            result = settled(function(**(request.get("params") or {})))
        except SystemExit as end:
            if end.code not in (None, 0):
                raise
            result = None
        turn.send({"type": "result", "result": result}, "the result", allow_nan=False)

    def tidy(self):
        """Gives back what polls share."""
        self.private.give_back()
        if not self.streams or any(stream.closed for stream in self.streams):
            self.streams = standard_streams()
        sys.stdin, sys.stdout, sys.stderr = self.streams
        sys.stdout.flush()
        os.chdir(self.home)


def cpu_time():
    """That of all threads, and of the children that were waited for, in seconds."""
    children = getrusage(RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime


def polled_file(program):
    return fit(program, POLL_SENSOR) and Polled(program)


def action_file(program):
    return fit(program, RUN) and program.function(RUN, {})


def fit(program, name):
    if not program.defines(name):
        raise Unfit(program.lacks(name))
    return True


def standard_streams():
    """As Python opens them; that an author closes one does not free its number."""
    log = {"buffering": 1, "encoding": "utf-8", "errors": "backslashreplace", "closefd": False}
    return open(0, closefd=False), open(1, "w", **log), open(2, "w", **log)


class Variables:
    """The variables of one request, in the environment while it runs."""

    def __init__(self, variables):
        self.variables = variables

    def __enter__(self):
        self.before = {name: os.environ.get(name) for name in self.variables}
        os.environ.update(self.variables)

    def __exit__(self, *_):
        for name, value in self.before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class Context:
    """The file that SENSOR_CONTEXT names, for a sensor that reads it."""

    def __init__(self, home, request):
        self.path = os.path.join(home, CONTEXT)
        keys = ("sensor", "triggers", "config", "state", "trigger_params")
        self.context = {key: request.get(key) for key in keys}
        self.context["ref"] = request.get("sensor")

    def __enter__(self):
        with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.context, file)
        os.environ["SENSOR_CONTEXT"] = self.path

    def __exit__(self, *_):
        os.environ.pop("SENSOR_CONTEXT", None)
        with suppress(FileNotFoundError):
            os.unlink(self.path)
