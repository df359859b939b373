"""One turn of a host: what it says names the request, and after its end it says nothing."""

import os
from threading import Lock


class Turn:
    """A thread that was left behind may still have it, and so may a process that C code forked."""

    def __init__(self, messages, id):
        self.messages = messages
        self.id = id
        self.process = os.getpid()
        self.ended = False
        self.lock = Lock()

    def send(self, message, what=None, allow_nan=True):
        # `type` and `id` come first, so that the service knows whose it is even when it can not read it.
        message = {"type": message["type"], "id": self.id, **message}
        with self.lock:
            if not self.ended and os.getpid() == self.process:
                self.messages.send(message, what, allow_nan)

    def done(self, cpu_ms):
        # What most turns end with needs no encoder.
        self.end(b'{"type":"done","id":%d,"cpu_ms":%.3f}\n' % (self.id, cpu_ms))

    def failed(self, message, cpu_ms):
        self.send({**message, "cpu_ms": cpu_ms})
        self.end(b"")

    def end(self, line):
        with self.lock:
            self.ended = True
        self.messages.write(line, flush=True)
