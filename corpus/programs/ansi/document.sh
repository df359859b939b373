printf '\033[32m{"events":[{"n":1}],"count":1}\033[0m\n'
