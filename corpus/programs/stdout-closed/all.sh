exec <&- >&- 2>&-
sleep 300
