printf '{"type":"event","payload":{"n":1}}\n\357\273\277{"type":"done"}\n'
