printf '{"type":"state","state":{"x":NaN}}\n{"type":"done"}\n'
