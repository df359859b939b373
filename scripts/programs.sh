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

# lead_with PROGRAM STARTS PATH: makes PROGRAM, of which STARTS is the first that starts, mean PATH.
lead_with() {
    local program=$1 starts=$2 path=$3 first
    first=$(type -P "$program")
    [ "$starts" = "$first" ] || echo "$first does not start: using $path" >&2
    [ "$(realpath "$path")" = "$(realpath "$first")" ] || mean "$program" "$path"
}

# mean PROGRAM PATH: makes PROGRAM mean PATH by a script in a directory of ours; no other program changes. A link would not
# do: an interpreter looks for its library beside the name by which it was started.
mean() {
    local program=$1 path=$2 ours
    ours=$(realpath -m "${CARGO_TARGET_DIR:-target}/path")
    mkdir -p "$ours"
    printf '#!/bin/sh\nexec "%s" "$@"\n' "$path" >"$ours/$program.new"
    chmod +x "$ours/$program.new"
    mv "$ours/$program.new" "$ours/$program"
    export PATH="$ours:$PATH"
}

# The interpreter itself where what starts is a shim too: that asks a shell for the version each time, which takes longer
# than many a program.
lead_with_what_starts() {
    local python node
    python=$(starting_python)
    lead_with python3 "$python" "$("$python" -I -S -c 'import sys; print(sys.executable)')"
    node=$(starting_node)
    lead_with node "$node" "$("$node" -p process.execPath)"
}
