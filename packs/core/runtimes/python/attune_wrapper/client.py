"""What a streaming sensor calls `attune`: what it is told, and what it can say."""

import json
import os
import threading
import time

from .descriptors import take_stdin
from .failure import Failure

# While it waits a sensor shows each second that it is alive.
BEAT = 1.0


class Attune:
    """The conversation of one sensor with the service. Its methods may be called from any thread."""

    def __init__(self, messages, orders, checkpoints):
        self._messages = messages
        self._checkpoints = checkpoints
        self._lock = threading.Lock()
        self._news = threading.Condition()
        self._spoke = self._versions = self._seen = self._told = 0
        self._id = self._acknowledged = 0
        self._over = False
        #: Whether the sensor shall come to an end.
        self.stopping = False
        self.send({"type": "hello", "protocol": 1, "checkpoints": checkpoints})
        self._start(next(orders, None))
        threading.Thread(target=self._listen, args=(orders,), daemon=True).start()

    def _start(self, start):
        if start is None or start.get("type") != "start":
            raise Failure("a stream begins with the order `start`")
        #: The sensor's ref, and those of its triggers.
        self.sensor, self.triggers = start.get("sensor"), start.get("triggers") or []
        #: The configuration.
        self.config = start.get("config") or {}
        #: What the last checkpoint kept; an object to change in place.
        self.state = start.get("state") or {}
        #: What the live rules ask for now.
        self.trigger_params = start.get("trigger_params") or []

    def emit(self, payload=None, **fields):
        """Sends an event: a dict, or its fields by name."""
        event = dict(payload or {}, **fields)
        self.send({"type": "event", "payload": event}, "the event")

    def checkpoint(self, state=None, wait=False):
        """Has the events since the last one and the state committed together; with `wait`, returns when they are. Tells
        whether they are known to be."""
        if not self._checkpoints:
            raise Failure("checkpoint is only found when the sensor's own file calls it")
        if state is not None:
            self.state = state
        if not isinstance(self.state, dict):
            raise Failure("the state is %s, and no dict" % type(self.state).__name__)
        with self._news:
            self._id += 1
            checkpoint = self._id
        self.send({"type": "checkpoint", "id": checkpoint, "state": self.state}, "the state")
        if wait:
            self._until(lambda: self._acknowledged >= checkpoint or self._over)
        return self._acknowledged >= checkpoint

    def heartbeat(self):
        """Says that it is alive. From the first one on the sensor is ended and started again when it is silent for its
        time limit."""
        self.send({"type": "heartbeat"})

    def contact(self):
        """Says that it reached its source. Once a sensor has said so, nothing else counts as contact."""
        self.send({"type": "contact"})

    def log(self, message, level="info"):
        """Writes to the sensor's log, as `print` does."""
        self.send({"type": "log", "level": level, "message": str(message)})

    def wait(self, seconds):
        """Waits, alive; less when it shall stop or other parameters are asked for. Tells whether to go on."""
        # Counted from the last return: what came since then, before this call, counts as well.
        told = self._told
        self._until(lambda: self.stopping or self._versions != told, seconds)
        self._told = self._versions
        return not self.stopping

    def changed(self):
        """Whether `trigger_params` changed since this was asked last."""
        seen, self._seen = self._seen, self._versions
        return seen != self._seen

    def send(self, message, what=None):
        # Whoever reads may be slow, and so is the sensor then.
        with self._lock:
            self._messages.send(message, what)
            self._messages.flush()
            self._spoke = time.monotonic()

    def _until(self, happened, seconds=float("inf")):
        """Waits for news, and shows meanwhile that it is alive."""
        end = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            if now - self._spoke >= BEAT:
                self.heartbeat()
            with self._news:
                if happened() or now >= end:
                    return
                self._news.wait(min(end - now, BEAT))

    def _listen(self, orders):
        for order in orders:
            with self._news:
                self._take(order)
                self._news.notify_all()
        with self._news:
            self.stopping = self._over = True
            self._news.notify_all()

    def _take(self, order):
        kind = order.get("type")
        if kind == "params":
            self.trigger_params = order.get("trigger_params") or []
            self._versions += 1
        elif kind == "ack":
            self._acknowledged = max(self._acknowledged, order["checkpoint"])
        elif kind == "stop":
            self.stopping = True


def orders():
    """What the service says, order by order. Read without a buffer, as that of a waiting thread can not be given up."""
    rest, source = b"", take_stdin()
    for chunk in iter(lambda: os.read(source, 65536), b""):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from map(json.loads, lines)
