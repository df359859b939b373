printf '{"events":[{"n":1},'
