printf '{"events":[],"state":{"x":"\\u0000"}}\n'
