printf '[{"type":"done"}]\n'
