#!/bin/sh
# Tells something. Its parameters are one JSON object on stdin; what it prints is the execution's result, and stderr is
# its log.
set -eu

echo "telling" >&2
printf '{"told": %s}\n' "$(cat)"
