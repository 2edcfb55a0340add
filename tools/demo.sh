#!/bin/sh
# Two contenders for one lock. Run it where `klatch` is on PATH and a cluster is configured:
#
#     klatch sandbox -- sh tools/demo.sh
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

say '$ klatch run deploy --reason "release 1" -- ./deploy.sh     (the first contender)'
klatch run deploy --reason "release 1" -- sh -c '
  echo "first:  the lock is mine, my fencing token is $KLATCH_TOKEN"
  touch "$0/in"
  for part in 1 2 3; do sleep 1; echo "first:  deploying, part $part of 3"; done
  echo "first:  done"
' "$dir" &
first=$!

while [ ! -e "$dir/in" ] && kill -0 "$first" 2>/dev/null; do sleep 0.1; done
say '$ klatch run deploy --reason "release 2" -- ./deploy.sh     (the second one, at the same time)'
klatch run deploy --reason "release 2" -- sh -c '
  echo "second: now it is mine, my token is $KLATCH_TOKEN: larger than the one before"
'
wait "$first"

say '$ klatch run deploy -- sh -c "exit 3"; echo $?     (the status is the command'"'"'s own)'
status=0
klatch run deploy -q -- sh -c 'exit 3' || status=$?
echo "$status"
