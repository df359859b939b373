#!/bin/sh
# Prints one JSON object with an event for each local disk.
set -eu

# One disk may be mounted at many places: the first is enough. The root of a container is no device.
df -Pkl | awk '
    NR == 1 || ($1 !~ /^\// && $6 != "/") || $1 in seen { next }
    {
        seen[$1]
        mount = $6
        for (i = 7; i <= NF; i++) mount = mount " " $i
        gsub(/\\/, "\\\\", mount)
        gsub(/"/, "\\\"", mount)
        events = events (count++ ? ", " : "") sprintf("{\"event_type\": \"disk\", \"mount\": \"%s\", \
\"size_kb\": %d, \"used_kb\": %d, \"used_percent\": %d}", mount, $2, $3, $5)
    }
    END { printf "{\"events\": [%s], \"count\": %d}\n", events, count }'
