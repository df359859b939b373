printf '{"events":[{"x":"'
head -c 1000000000 /dev/zero | tr '\0' x
printf '"}]}\n'
