# Which of the programs of one name on PATH really starts. Sourced by the other scripts.
#
# The first one is often a version manager's shim for which no version was chosen: it is there, it is executable, and
# it only prints an error. Installing the system's program does not help while the shim hides it.
# shellcheck shell=bash

# first_that_starts PROGRAM ARG...: prints the path of the first PROGRAM on PATH that runs with these arguments.
first_that_starts() {
    local program=$1 candidate
    shift
    while IFS= read -r candidate; do
        if timeout 20 "$candidate" "$@" </dev/null >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done < <(type -ap "$program")
    return 1
}

starting_python() { first_that_starts python3 -c 'import venv, ensurepip'; }
starting_node() { first_that_starts node -e 0; }

# lead_with PROGRAM PATH: makes PROGRAM mean PATH, by a link in a directory of ours; no other program changes.
lead_with() {
    local program=$1 path=$2 links
    [ "$path" = "$(type -P "$program")" ] && return
    echo "$(type -P "$program") does not start: using $path" >&2
    links=$(realpath -m "${CARGO_TARGET_DIR:-target}/path")
    mkdir -p "$links"
    ln -sfn "$path" "$links/$program"
    export PATH="$links:$PATH"
}

lead_with_what_starts() {
    lead_with python3 "$(starting_python)"
    lead_with node "$(starting_node)"
}
