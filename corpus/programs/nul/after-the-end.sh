printf '{"events":[{"n":1}],"count":1}\n\0\n'
