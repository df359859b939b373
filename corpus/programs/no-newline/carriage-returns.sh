printf '{"type":"event","payload":{"n":1}}\r{"type":"done"}\r'
