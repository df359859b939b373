printf '{"events":['
yes '{"n":1},' | head -n 999999 | tr -d '\n'
printf '{"n":1}]}\n'
