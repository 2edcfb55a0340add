#!/bin/sh
# Downloads the runtime that binaries are compiled with, and has later steps use it: download-denort.sh VERSION DIRECTORY
# It has to be a file for `deno task image`, which changes where it looks for its C library.
set -eu

version=$1
directory=$2
case $(uname -s)-$(uname -m) in
  Linux-x86_64) target=x86_64-unknown-linux-gnu ;;
  Linux-aarch64) target=aarch64-unknown-linux-gnu ;;
  Darwin-x86_64) target=x86_64-apple-darwin ;;
  Darwin-arm64) target=aarch64-apple-darwin ;;
  *)
    echo "there is no runtime for $(uname -s) $(uname -m)" >&2
    exit 1
    ;;
esac

curl --fail --silent --show-error --location --retry 3 --proto-redir =https \
  --output "$directory/denort.zip" "https://dl.deno.land/release/v$version/denort-$target.zip"
unzip -o -q "$directory/denort.zip" -d "$directory"
chmod 755 "$directory/denort"
echo "DENORT_BIN=$directory/denort" >> "$GITHUB_ENV"
