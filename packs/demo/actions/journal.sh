#!/bin/sh
# Adds one line to a file and prints the result as JSON.
set -eu
. "${0%/*}/../lib/params.sh"

read_params
param file || die "the parameter file is missing"
file=$value
param line || die "the parameter line is missing"

printf '%s %s\n' "$(date '+%Y-%m-%d %H:%M:%S')" "$value" >>"$file"
echo "added a line to $file" >&2
printf '{"file": %s, "line": %s}\n' "$(json_param file)" "$(json_param line)"
