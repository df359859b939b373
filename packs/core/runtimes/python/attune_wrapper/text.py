"""JSON as the service wants it, on one line."""

import json
import sys

from .failure import Failure
from .place import undisturbed


def read_stdin():
    text = sys.stdin.buffer.read()
    value = json.loads(text.decode("utf-8")) if text.strip() else {}
    if not isinstance(value, dict):
        raise Failure("stdin holds no JSON object")
    return value


def to_json(value, what=None, allow_nan=True):
    """One line. NaN goes through where the service sets such an event aside by itself."""
    try:
        return (LENIENT if allow_nan else STRICT).encode(value).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise Failure("%s can not be JSON: %s" % (what, error)) from None


def encode(value):
    with undisturbed:
        import datetime
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    kind = type(value)
    raise TypeError("it holds a value of the type %s.%s" % (kind.__module__, kind.__qualname__))


LENIENT = json.JSONEncoder(default=encode, separators=(",", ":"))
STRICT = json.JSONEncoder(default=encode, separators=(",", ":"), allow_nan=False)
