printf '\033[1m{"type":"event","payload":{"n":1}}\n{"type":"done"}\n'
