printf '{"type":"event","payload":{"x":1e400}}\n{"type":"event","payload":{"n":1}}\n{"type":"done"}\n'
