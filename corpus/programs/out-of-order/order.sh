printf '{"type":"ack","checkpoint":1}\n{"type":"done"}\n'
