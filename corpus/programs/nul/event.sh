printf '{"type":"event","payload":{"x":"a\0b"}}\n{"type":"event","payload":{"n":1}}\n{"type":"done"}\n'
