printf '{"type":"event","payload":{"x":"\355\240\200"}}\n{"type":"done"}\n'
