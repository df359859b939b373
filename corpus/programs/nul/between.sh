printf '{"type":"event","payload":{"n":1}}\n\0\n{"type":"done"}\n'
