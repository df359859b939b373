"""What went wrong, in words for the author."""

import os

from .place import undisturbed

MAX_ERROR = 32 * 1024
# Of the wrapper: this directory and the programs beside it.
OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Failure(Exception):
    """What is wrong is said completely by the message; no traceback would help."""


def message_of(error, who="the sensor"):
    if isinstance(error, SystemExit):
        return clean("%s called exit(%r)" % (who, error.code))
    if isinstance(error, Failure):
        return clean(str(error))
    if isinstance(error, SyntaxError):
        return clean("%s: %s" % (type(error).__name__, error))
    with undisturbed:
        import traceback
    text = "".join(traceback.format_exception_only(type(error), error)).strip()
    if isinstance(error, ModuleNotFoundError):
        text += "; Attune installs what requirements.txt at the root of the pack names"
    return clean(text)


def traceback_of(error):
    """As Python prints it, without the frames of the wrapper."""
    if isinstance(error, Failure):
        return clean("%s\n" % error)
    with undisturbed:
        import traceback
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(OWN):
        frames = frames.tb_next
    return clean("".join(traceback.format_exception(type(error), error, frames)))



def clean(text):
    """Text that is sure to be UTF-8 and not too long: its head and its tail."""
    if len(text) > MAX_ERROR:
        text = text[: MAX_ERROR // 2] + "\n...\n" + text[-MAX_ERROR // 2 :]
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode("utf-8")
