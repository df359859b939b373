printf '{"type":"event","payload":{"x":"\\u001b[2J"}}\n{"type":"done"}\n'
