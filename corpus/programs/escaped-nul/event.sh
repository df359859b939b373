printf '{"type":"event","payload":{"x":"\\u0000"}}\n{"type":"event","payload":{"n":1}}\n{"type":"done"}\n'
