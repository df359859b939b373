#!/bin/bash
# Each line of the tape is an event and a checkpoint. A line that is cut off is what a killed `tail` leaves.
set -euo pipefail
echo '{"type":"hello","protocol":1,"checkpoints":true}'
read -r start
tape=$(printf '%s' "$start" | sed -n 's/.*"tape": *"\([^"]*\)".*/\1/p')
line=$(printf '%s' "$start" | sed -n 's/.*"line": *\([0-9]*\).*/\1/p')
# Read by the shell itself: other programs wait until a block of lines is full.
tail -n "+$((${line:-0} + 1))" -s 0.05 -f "$tape" | while read -r n; do
    [ ${#n} = 8 ] || exit 1
    line=$((${line:-0} + 1))
    printf '{"type":"event","payload":{"n":%d}}\n' "$((10#$n))"
    printf '{"type":"checkpoint","id":%d,"state":{"line":%d}}\n' "$line" "$line"
done
