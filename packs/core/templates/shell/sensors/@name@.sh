#!/bin/sh
# Counts the entries of a directory, and reports when the number has changed.
#
# A sensor prints one JSON object: its events, and the state that it finds again at the next poll. Messages go to stderr,
# which is its log. The two lines with sed read JSON without any help; where jq is installed, use `jq -r .directory`.
set -eu

directory=$(printf '%s\n' "$SENSOR_CONFIG" | sed -n 's/.*"directory":"\([^"]*\)".*/\1/p')
before=$(sed -n 's/.*"state":{"count":\([0-9]*\)}.*/\1/p' "$SENSOR_CONTEXT")

[ -d "$directory" ] || { echo "there is no directory $directory" >&2; exit 1; }
count=$(ls -A "$directory" | wc -l | tr -d ' ')
echo "counted $count" >&2

# Events and state are stored together, so no change is reported twice or lost, whatever stops in between.
event=
if [ "$count" != "${before:-none}" ]; then
    event=$(printf '{"event_type": "@name@_changed", "directory": "%s", "count": %d, "before": %s}' \
        "$directory" "$count" "${before:-null}")
fi
printf '{"events": [%s], "state": {"count": %d}}\n' "$event" "$count"
