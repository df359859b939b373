head -c 100000000 /dev/zero | tr '\0' x >&2
printf '{"events":[{"n":1}],"count":1}\n'
