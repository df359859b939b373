# Planted: its place is in a file of its own, written when the event is committed; the event has no key.
# Waits so long for an order; the next one, if any.
order() {
  order=
  read -r "$@" order
  [ $? = 1 ] && exit
  case $order in '{"type":"stop"'*) exit ;; esac
}
committed() {
  while order; do
    case $order in '{"type":"ack"'*) return ;; esac
  done
}
line() {
  sed -n "$1{p;q}" "$file" | tr -d '\000'
}
echo '{"type":"hello","protocol":1,"checkpoints":true}'
read -r start
file=$(expr "$start" : '.*"file":"\([^"]*\)"')
cursor=$(expr "$start" : '.*"cursor":"\([^"]*\)"')
n=$(cat "$cursor" 2>/dev/null || echo 0)
while order -t 0.05 || true; do
  while [ "$n" -lt "$(wc -l <"$file")" ]; do
    n=$((n + 1))
    printf '{"type":"event","payload":{"line":"%s"}}\n{"type":"checkpoint","id":%d}\n' "$(line $n)" $n
    committed
    echo $n >"$cursor.next" && mv "$cursor.next" "$cursor"
  done
done
