#!/bin/sh
# The parameters are the result.
exec cat
