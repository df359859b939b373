printf '{"type":"done"}\n{"type":"done"}\n'
