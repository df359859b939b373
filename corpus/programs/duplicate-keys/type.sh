printf '{"type":"event","type":"done","payload":{"n":1}}\n{"type":"done"}\n'
