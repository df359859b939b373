printf '\033[2J\033[H'
