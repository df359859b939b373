printf '{"events":[{"x":NaN}]}\n'
