printf 'Temp\351rature\n'
