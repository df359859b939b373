printf '{"type":"event","payload":{"x":"'
head -c 1000000000 /dev/zero | tr '\0' x
printf '"}}\n'
