head -c 1000000 /dev/zero | tr '\0' '\377' >&2
exit 3
