printf '{"events":[{"x":1e400},{"n":1}]}\n'
