#!/bin/sh
# Reads on after the line that the state names.
set -eu
tape=$(sed -n 's/.*"tape": *"\([^"]*\)".*/\1/p')
line=$(sed -n 's/.*"line": *\([0-9]*\).*/\1/p' "$SENSOR_CONTEXT")
tail -n "+$((${line:-0} + 1))" "$tape" | awk -v line="${line:-0}" '
    BEGIN { printf "{\"events\": [" }
    { printf "%s{\"n\": %d}", (NR > 1 ? ", " : ""), $1 }
    END { printf "], \"state\": {\"line\": %d}}\n", line + NR }'
