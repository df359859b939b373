printf '{"type":"event","payload":{"x":NaN}}\n{"type":"event","payload":{"n":1}}\n{"type":"done"}\n'
