printf '{"events":[{"n":1}],"count":1}'
