printf '{"type":"log","message":"\\u0000"}\n{"type":"done"}\n'
