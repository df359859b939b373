printf '{"events":['
yes '{},' | head -n 999999 | tr -d '\n'
printf '{}]}\n'
