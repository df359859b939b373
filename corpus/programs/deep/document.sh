printf '{"events":[{"x":'
head -c 10000 /dev/zero | tr '\0' '['
head -c 10000 /dev/zero | tr '\0' ']'
printf '}]}\n'
