# Planted: it keeps its place nowhere, and begins at the beginning.
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
read -r start
file=$(expr "$start" : '.*"file":"\([^"]*\)"')
n=0
while order -t 0.05 || true; do
  while [ "$n" -lt "$(wc -l <"$file")" ]; do
    n=$((n + 1))
    printf '{"type":"event","payload":{"line":"%s"}}\n' "$(line $n)"
  done
done
