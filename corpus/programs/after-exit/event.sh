printf '{"type":"event","payload":{"n":1}}\n{"type":"done"}\n'
(sleep 0.1; printf '{"type":"event","payload":{"n":1}}\n') &
