#!/bin/sh
echo '{"events": []}'
