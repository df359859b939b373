printf '{"type":"hello"}\n{"type":"done"}\n'
