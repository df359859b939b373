head -c 1000000 /dev/zero | tr '\0' '\n'
printf '{"type":"event","payload":{"n":1}}\n{"type":"done"}\n'
