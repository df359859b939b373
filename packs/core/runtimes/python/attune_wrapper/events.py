"""What a sensor's function gives, event by event."""

from .awaiting import each, settled
from .failure import Failure


class Events:
    """Takes what the function `name` gives; each event goes to `send(message, what)`."""

    def __init__(self, name, send):
        self.name = name
        self.send = send
        self.count = 0

    def take(self, result):
        result = settled(result)
        if hasattr(result, "__aiter__"):
            each(result, self.emit)
        elif isinstance(result, dict):
            self.emit(result)
        elif isinstance(result, (str, bytes)) or (result is not None and not hasattr(result, "__iter__")):
            raise Failure(
                "%s returned %s; it yields events, or returns an event (a dict), a list of events or None"
                % (self.name, type(result).__name__)
            )
        else:
            for event in result or ():
                self.emit(event)

    def emit(self, event):
        self.count += 1
        what = "event %d" % self.count
        if not isinstance(event, dict):
            raise Failure("%s is %s, and no dict" % (what, type(event).__name__))
        # `type` comes first, so that the service knows an event even when it can not read it.
        self.send({"type": "event", "payload": event}, what)
