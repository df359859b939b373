printf '{"type":"event","payload":{"n":1}}\n{"type":"event","payload":{"n"'
