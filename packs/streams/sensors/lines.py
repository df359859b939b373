"""Lines that are appended to files, however these are rotated.

The files are what live rules ask for. Where each was read to (inode and offset) is kept in each checkpoint, together with the
events of the lines, so that a stop, a crash and a rotation lose no line and report none twice.
"""

import json

from tail import Tail

# Lines that go in together.
BATCH = 500
# Between two looks at the files, in seconds.
PAUSE = 0.2


def stream_sensor(attune):
    tails = {}
    follow_rules(attune, tails)
    while not attune.stopping:
        if attune.changed():
            follow_rules(attune, tails)
        more = [read(attune, tails, key) for key in list(tails)]
        if not any(more):
            attune.wait(PAUSE)


def follow_rules(attune, tails):
    asked = {json.dumps(each["params"], sort_keys=True): each["params"] for each in attune.trigger_params}
    for key in set(tails) - set(asked):
        del tails[key]
    for key in set(asked) - set(tails):
        params, saved = asked[key], attune.state.get(key)
        warn = lambda message: attune.log(message, "warning")
        tails[key] = Tail(params["path"], saved, params.get("from") == "start", warn)
        tails[key].params = params
        tails[key].look()
    commit(attune, tails)


def read(attune, tails, key):
    tail = tails[key]
    lines, more = tail.read(BATCH)
    for line, cut in lines:
        attune.emit(event(tail, line, cut))
    if lines:
        commit(attune, tails)
    return more


def commit(attune, tails):
    attune.checkpoint({key: tail.saved() for key, tail in tails.items()})


def event(tail, line, cut):
    # NUL can not be stored.
    text = line.decode("utf-8", "backslashreplace").rstrip("\r").replace("\0", "\ufffd")
    event = {"event_type": "line_appended", "trigger_params": tail.params, "path": tail.path, "line": text}
    return dict(event, cut=True) if cut else event
