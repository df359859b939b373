printf '{"payload":{"n":1}}\n{"type":"done"}\n'
