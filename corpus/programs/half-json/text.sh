printf '{"events":[{"x":"abc'
