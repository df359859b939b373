printf '{"type":"hello","protocol":99}\n{"type":"event","payload":{"n":1}}\n{"type":"done"}\n'
