printf '\357\273\277{"events":[{"n":1}],"count":1}\n'
