#!/bin/sh
# Starts the real server as a child and stays, as npx and uvx do.
exec 3<&0 # a background command gets /dev/null as its input unless it is given another descriptor
"$@" <&3 3<&- &
exec 3<&-
wait $!
