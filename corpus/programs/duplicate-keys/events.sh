printf '{"events":[{"n":1}],"events":[{"n":2}]}\n'
