yes '{"type":"log","message":""}' | head -n 100000
printf '{"type":"event","payload":{"n":1}}\n{"type":"done"}\n'
