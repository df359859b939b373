printf '{"type":"event","payload":{"n":1},"payload":{"n":2}}\n{"type":"done"}\n'
