printf '{"type":"result","result":1}\n{"type":"done"}\n'
