"""Counts the entries of a directory, and reports when the number has changed."""

import os


def poll_sensor(config, state):
    # `config` is what the sensor's YAML says, `state` what was left in it at the last poll: at first nothing.
    count = len(os.listdir(config["directory"]))
    before = state.get("count")
    state["count"] = count
    print("counted", count)  # what is printed is the sensor's log

    # Events and state are stored together, so no change is reported twice or lost, whatever stops in between.
    if count != before:
        yield {
            "event_type": "@name@_changed",
            "directory": config["directory"],
            "count": count,
            "before": before,
        }
