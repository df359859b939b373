printf '{"events":[{"n":1}],"count":1}\n'
exec >&-
sleep 300
