printf '{"events":[{"x":'
head -c 400 /dev/zero | tr '\0' 9
printf '}]}\n'
