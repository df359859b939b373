printf '{"type":"event","payload":{"n":1}}\n{"type":"hello","protocol":1}\n{"type":"done"}\n'
