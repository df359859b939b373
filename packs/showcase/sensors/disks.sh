#!/bin/sh
# How full the root disk is, by df.
used=$(df -P / | awk 'NR == 2 { print $5 + 0 }')
printf '{"events": [{"event_type": "disk", "mount": "/", "used_percent": %d}], "count": 1}\n' "$used"
