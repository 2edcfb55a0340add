#!/bin/sh
# A resource that checks fencing tokens: a value in a folder, which refuses a writer whose token is older than the
# newest that it has seen. Run it under klatch, which sets KLATCH_TOKEN:
#
#     fenced-store.sh FOLDER get
#     fenced-store.sh FOLDER put VALUE
#
# `get` counts as well: whoever has read under a newer token must not be overwritten under an older one.
# UNFENCED=1 leaves the check out, to show what it is for.
set -eu
cd "$1"
exec 9>.mutex
flock 9
if [ -z "${UNFENCED:-}" ]; then
  newest=$(cat newest-token 2>/dev/null || echo 0)
  if [ "$KLATCH_TOKEN" -lt "$newest" ]; then
    echo "refused: token $KLATCH_TOKEN is older than $newest" >&2
    exit 1
  fi
  echo "$KLATCH_TOKEN" >newest-token
fi
case $2 in
  get) cat value ;;
  put) echo "$3" >value ;;
esac
