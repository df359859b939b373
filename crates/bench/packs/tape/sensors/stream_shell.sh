#!/bin/bash
# Each line of the tape is an event and a checkpoint. A line that is cut off is what a killed `tail` leaves.
set -euo pipefail
echo '{"type":"hello","protocol":1,"checkpoints":true}'
read -r start
tape=$(printf '%s' "$start" | sed -n 's/.*"tape": *"\([^"]*\)".*/\1/p')
line=$(printf '%s' "$start" | sed -n 's/.*"line": *\([0-9]*\).*/\1/p')
tail -n "+$((${line:-0} + 1))" -s 0.05 -f "$tape" | awk -v line="${line:-0}" '
    length($0) != 8 { exit 1 }
    {
        printf "{\"type\":\"event\",\"payload\":{\"n\":%d}}\n", $1
        printf "{\"type\":\"checkpoint\",\"id\":%d,\"state\":{\"line\":%d}}\n", line + NR, line + NR
        fflush()
    }'
