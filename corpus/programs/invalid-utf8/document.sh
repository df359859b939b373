printf '{"events":[{"x":"\377"}]}\n'
