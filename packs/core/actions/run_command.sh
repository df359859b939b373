#!/bin/sh
# Runs the script in the parameter `command`. Its output is the result and its exit code the action's.
set -eu
. "${0%/*}/../lib/params.sh"

read_params
if param directory; then
    cd -- "$value"
fi
param command || die "the parameter command is missing"
exec sh -c "$value" </dev/null
