"""One run of an action: the value of its function is the result, all else that it prints is log."""

import os
import sys

from .awaiting import settled
from .descriptors import keep_from_forks, take_stdout
from .failure import traceback_of
from .program import Program
from .text import read_stdin, to_json

NAME = "run"


def run(path):
    """The run of this process; gives its exit code."""
    try:
        program = Program(path)
        if program.defines(NAME):
            call(program)
        else:
            program.run_script({})
    except SystemExit:
        raise
    except BaseException as error:
        sys.stderr.write(traceback_of(error))
        return 1
    return 0


def call(program):
    params = read_stdin()
    out = os.fdopen(take_stdout(), "wb")
    keep_from_forks(out.fileno())
    result = settled(program.function(NAME, {})(**params))
    if result is not None:
        out.write(to_json(result, "the result", allow_nan=False) + b"\n")
    out.close()
