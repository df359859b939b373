# Reads an action's parameters in shell: one JSON object on stdin. A bare machine has awk and printf, but no jq.
#
#   read_params         reads stdin
#   param NAME          puts a parameter into $value: text as it is, anything else as JSON; fails if absent or null
#   json_param NAME     prints a parameter as JSON
#   die MESSAGE         ends the action with a message

params_awk=${0%/*}/../lib/param.awk

die() {
    printf '%s\n' "$1" >&2
    exit 1
}

read_params() {
    params=$(cat)
}

# The text comes escaped for %b, and with a final x, because a shell drops newlines at the end of what it captures.
param() {
    value=$(printf '%s\n' "$params" | LC_ALL=C awk -v name="$1" -f "$params_awk") || return 1
    value=$(printf '%bx' "$value")
    value=${value%x}
}

json_param() {
    printf '%s\n' "$params" | LC_ALL=C awk -v name="$1" -v raw=1 -f "$params_awk"
}
