exec >&-
sleep 300
