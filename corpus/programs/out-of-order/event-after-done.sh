printf '{"type":"done"}\n{"type":"event","payload":{"n":1}}\n'
