printf '{"events":[{"n":1}],"count":1}\n'
sleep 300 &
