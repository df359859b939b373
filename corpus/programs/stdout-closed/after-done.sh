printf '{"type":"event","payload":{"n":1}}\n{"type":"done"}\n'
exec >&-
sleep 300
