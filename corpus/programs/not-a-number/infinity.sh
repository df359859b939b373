printf '{"type":"event","payload":{"x":[-Infinity]}}\n{"type":"done"}\n'
