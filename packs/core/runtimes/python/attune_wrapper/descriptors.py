"""The real stdin and stdout, for the wrapper alone.

Code closes and writes by the numbers that it has, and by mistake by others: one that it closed before, or all from 3 on.
So what is the wrapper's own has numbers that no `open` gives, programs that are started do not inherit it, and a host
looks whether it is still there (`Private`). The numbers 0 to 2 are everybody's; a host gives them back after each turn."""

import os
import sys

IN, OUT, EMPTY, LOG = 1000, 1001, 1002, 1003


def copy(number, to):
    """A copy that is not inherited, with this number, if so many may be open."""
    try:
        return os.dup2(number, to, inheritable=False)
    except OSError:
        return os.dup(number)


def take_stdout():
    """The real stdout; from here on whatever prints, prints to the log."""
    sys.stdout.flush()
    real = copy(1, OUT)
    os.dup2(2, 1)
    return real


def take_stdin():
    """The real stdin; whoever else reads it finds it empty."""
    real = copy(0, IN)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return real


def keep_from_forks(*numbers):
    """What is said in a process that the author's code forks, nobody hears."""

    def lose():
        empty = os.open(os.devnull, os.O_RDWR)
        for number in numbers:
            os.dup2(empty, number, inheritable=False)
        os.close(empty)

    os.register_at_fork(after_in_child=lose)


def lost():
    """Nothing can be answered any more. Whoever had the turn finds this beside its error."""
    try:
        os.write(2, b"the code closed descriptors that are not its own, by which it speaks with Attune\n")
    finally:
        os._exit(1)


class Private:
    """What a host needs in every turn."""

    def __init__(self, *own):
        keep_from_forks(*own)
        self.own = [(number, identity(number)) for number in own]
        self.empty, self.log = copy(0, EMPTY), copy(2, LOG)

    def check(self):
        """A number that is something else by now would take the answer, or give no request."""
        try:
            if all(identity(number) == before for number, before in self.own):
                return
        except OSError:
            pass
        lost()

    def give_back(self):
        """The numbers that all share, as they were, even if somebody closed one."""
        os.dup2(self.empty, 0)
        os.dup2(self.log, 1)
        os.dup2(self.log, 2)


def identity(number):
    stat = os.fstat(number)
    return stat.st_dev, stat.st_ino
