printf '{"type":"hello","protocol":1}\n{"type":"hello","protocol":1}\n{"type":"done"}\n'
