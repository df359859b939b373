read -r params
echo "$params"
