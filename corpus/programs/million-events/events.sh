yes '{"type":"event","payload":{"n":1}}' | head -n 1000000
printf '{"type":"done"}\n'
