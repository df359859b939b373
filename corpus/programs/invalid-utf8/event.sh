printf '{"type":"event","payload":{"x":"\377"}}\n{"type":"event","payload":{"n":1}}\n{"type":"done"}\n'
