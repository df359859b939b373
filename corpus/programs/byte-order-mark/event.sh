printf '\357\273\277{"type":"event","payload":{"n":1}}\n{"type":"done"}\n'
