printf '{"events":[{"x":"\\u0000"},{"n":1}]}\n'
