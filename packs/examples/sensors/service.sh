#!/bin/bash
# Both answers are an object: a sensor that prints nothing has failed. And a systemctl that can not tell (there is none,
# or no systemd) is no answer: then this sensor fails too, instead of reporting a service that may well run.
systemctl is-active --quiet nginx
code=$?
case $code in
    0) echo '{"events": [], "count": 0}' ;;
    3 | 4) echo '{"events": [{"event_type": "service_down", "service": "nginx"}], "count": 1}' ;;
    *) exit $code ;;
esac
