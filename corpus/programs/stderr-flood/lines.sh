yes x | head -n 1000000 >&2
printf '{"type":"event","payload":{"n":1}}\n{"type":"done"}\n'
