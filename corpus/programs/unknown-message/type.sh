printf '{"type":"teapot"}\n{"type":"done"}\n'
