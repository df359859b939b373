# Planted: it says that it has been there before it says what it saw.
# Waits so long for an order; the next one, if any.
order() {
  order=
  read -r "$@" order
  [ $? = 1 ] && exit
  case $order in '{"type":"stop"'*) exit ;; esac
}
line() {
  sed -n "$1{p;q}" "$file" | tr -d '\000'
}
echo '{"type":"hello","protocol":1,"checkpoints":true}'
read -r start
file=$(expr "$start" : '.*"file":"\([^"]*\)"')
n=$(expr "$start" : '.*"state":{"n":\([0-9]*\)')
n=${n:-0}
while order -t 0.05 || true; do
  while [ "$n" -lt "$(wc -l <"$file")" ]; do
    n=$((n + 1))
    printf '{"type":"checkpoint","state":{"n":%d}}\n{"type":"event","payload":{"line":"%s"}}\n' $n "$(line $n)"
  done
done
