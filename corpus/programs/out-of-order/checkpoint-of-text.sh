printf '{"type":"checkpoint","state":"x"}\n{"type":"done"}\n'
