printf '7\n'
