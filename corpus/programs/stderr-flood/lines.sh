yes "$(head -c 100 /dev/zero | tr '\0' x)" | head -c 20000000 >&2
printf '{"type":"event","payload":{"n":1}}\n{"type":"done"}\n'
