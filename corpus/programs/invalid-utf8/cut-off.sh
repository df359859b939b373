printf '{"events":[{"x":"\303"}]}\n'
