printf '{"type":"event","payload":{"n":1}}'
