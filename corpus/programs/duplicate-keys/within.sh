printf '{"type":"event","payload":{"n":1,"n":2}}\n{"type":"done"}\n'
