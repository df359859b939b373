printf '{"type":"hello","protocol":"1"}\n{"type":"done"}\n'
