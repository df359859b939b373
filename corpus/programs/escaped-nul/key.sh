printf '{"events":[{"\\u0000":1}]}\n'
