yes '{"a":' | head -n 10000 | tr -d '\n'
printf 1
head -c 10000 /dev/zero | tr '\0' '}'
