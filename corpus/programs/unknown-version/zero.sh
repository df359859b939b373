printf '{"type":"hello","protocol":0}\n{"type":"done"}\n'
