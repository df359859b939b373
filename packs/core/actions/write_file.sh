#!/bin/sh
# Writes the parameter `content` to `path`. A replaced file is complete or untouched: the new one is written beside it
# and renamed.
set -eu
. "${0%/*}/../lib/params.sh"

read_params
param path || die "the parameter path is missing"
path=$value
# A path that begins with a dash is no option.
case $path in /*) ;; *) path=./$path ;; esac

mode=
if param mode; then mode=$value; fi
append=false
if param append; then append=$value; fi
param content || value=

if [ "$append" = true ]; then
    printf '%s' "$value" >>"$path"
    written=$path
else
    written=$(mktemp "$path.XXXXXX")
    trap 'rm -f -- "$written"' EXIT
    printf '%s' "$value" >"$written"
    # mktemp makes private files; a replaced one keeps its permissions, a new one gets what the umask gives.
    if [ -e "$path" ]; then
        chmod "$(stat -c %a -- "$path")" "$written"
    else
        chmod "$(printf '%o' $((0666 & ~0$(umask))))" "$written"
    fi
fi
if [ -n "$mode" ]; then chmod "$mode" "$written"; fi
if [ "$append" != true ]; then
    mv -f -- "$written" "$path"
    trap - EXIT
fi
printf '{"path": %s}\n' "$(json_param path)"
