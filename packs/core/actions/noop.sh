#!/bin/sh
# Nothing.
