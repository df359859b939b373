printf '{"events":[{"x":"a\0b"}]}\n'
