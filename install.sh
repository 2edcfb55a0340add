#!/bin/sh
# Installs klatch on Linux or macOS:
#
#     curl -fsSL https://github.com/klatch-dev/klatch/releases/latest/download/install.sh | sh
#
# It downloads an archive of a release, compares it with the release's SHA256SUMS, and puts the binary into a directory.
# Until the last step, which is a rename, nothing outside of a temporary directory changes.
# `sh install.sh --help` lists the options.

set -eu

# The one place for the address: deno.json has the same, and a test compares them.
REPOSITORY=https://github.com/klatch-dev/klatch

usage() {
  cat <<EOF
Usage: install.sh [--version VERSION] [--to DIRECTORY | --folder] [--from URL]

  --version VERSION  the release to install, 1.2.3 for instance (default: the latest)
  --to DIRECTORY     where to put klatch (default: /usr/local/bin for root, else ~/.local/bin)
  --folder           install the directory for containers at /klatch instead, which needs no
                     C library of the system; for Alpine and other systems without glibc
  --from URL         where the releases are: URL/latest/download/FILE and
                     URL/download/vVERSION/FILE (default: \$KLATCH_DOWNLOAD_URL, else
                     $REPOSITORY/releases)
EOF
}

say() {
  printf 'install.sh: %s\n' "$*" >&2
}

die() {
  say "$*"
  exit 1
}

have() {
  command -v "$1" >/dev/null 2>&1
}

# Prints the name that a release has for this platform.
platform() {
  system=$(uname -s)
  machine=$(uname -m)
  case $system in
    Linux) system=linux ;;
    Darwin) system=darwin ;;
    *) die "there is no klatch for $system: only for Linux and macOS (on Windows, use WSL)" ;;
  esac
  # Under Rosetta a Mac with an Apple chip says that it is an Intel one.
  if [ "$system" = darwin ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || true)" = 1 ]; then
    machine=arm64
  fi
  case $machine in
    x86_64 | amd64) machine=x64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) die "there is no klatch for $machine: only for x86_64 and arm64" ;;
  esac
  printf '%s-%s\n' "$system" "$machine"
}

# Whether the system has the dynamic loader of glibc.
has_glibc() {
  [ -e /lib64/ld-linux-x86-64.so.2 ] || [ -e /lib/ld-linux-aarch64.so.1 ]
}

# download URL FILE
download() {
  if have curl; then
    # What begins encrypted stays so.
    case $1 in https:*) protocols=https ;; *) protocols=http,https ;; esac
    curl --fail --silent --show-error --location --proto-redir "=$protocols" --retry 3 --output "$2" "$1"
  elif have wget; then
    wget -q -O "$2" "$1"
  else
    die "cannot download: neither curl nor wget is installed"
  fi || die "cannot download $1"
}

# Prints the SHA-256 digest of a file.
digest() {
  if have sha256sum; then
    sha256sum "$1" | cut -d ' ' -f 1
  elif have shasum; then
    shasum -a 256 "$1" | cut -d ' ' -f 1
  elif have openssl; then
    openssl dgst -sha256 -r "$1" | cut -d ' ' -f 1
  else
    die "cannot verify the download: none of sha256sum, shasum and openssl is installed"
  fi
}

# Prints the digest that the file SUMS lists for NAME: listed SUMS NAME
listed() {
  while read -r sum file; do
    if [ "$file" = "$2" ] || [ "$file" = "*$2" ]; then
      printf '%s\n' "$sum"
      return
    fi
  done <"$1"
}

# Downloads the archive NAME from BASE into DIRECTORY, and verifies it: fetch BASE NAME DIRECTORY
fetch() {
  download "$1/SHA256SUMS" "$3/SHA256SUMS"
  expected=$(listed "$3/SHA256SUMS" "$2")
  [ -n "$expected" ] || die "$1/SHA256SUMS does not list $2: there is no such file in this release"
  download "$1/$2" "$3/$2"
  actual=$(digest "$3/$2")
  [ "$actual" = "$expected" ] ||
    die "$1/$2 is not what SHA256SUMS lists (expected $expected, got $actual); nothing was installed"
  tar -xzf "$3/$2" -C "$3" || die "cannot unpack $2; nothing was installed"
}

# Puts the unpacked binary into a directory: install_binary BINARY DIRECTORY
install_binary() {
  mkdir -p "$2" || die "cannot make the directory $2; choose another one with --to"
  # Renamed within the directory, so that klatch is at no time missing or incomplete.
  staged=$2/.klatch.$$
  if ! cp "$1" "$staged" || ! chmod 755 "$staged"; then
    rm -f "$staged"
    die "cannot write to $2; choose another directory with --to, or become root"
  fi
  installed=$("$staged" version 2>&1) || {
    rm -f "$staged"
    die "the downloaded klatch does not run on this system; nothing was installed: $installed"
  }
  mv -f "$staged" "$2/klatch" || {
    rm -f "$staged"
    die "cannot replace $2/klatch"
  }
  say "installed $installed as $2/klatch"
  advise "$2"
}

# Puts the unpacked directory at /klatch, the only place where it works: install_folder DIRECTORY
install_folder() {
  staged=/klatch.new.$$
  if ! cp -R "$1" "$staged"; then
    rm -rf "$staged"
    die "cannot write to /; become root, or copy /klatch from the image"
  fi
  if [ -e /klatch ]; then mv /klatch "/klatch.old.$$"; fi
  mv "$staged" /klatch || {
    if [ -e "/klatch.old.$$" ]; then mv "/klatch.old.$$" /klatch; fi
    die "cannot replace /klatch"
  }
  rm -rf "/klatch.old.$$"
  say "installed $(/klatch/klatch version 2>/dev/null || echo klatch) as /klatch/klatch"
  advise /klatch
}

# Says what to do about PATH.
advise() {
  found=$(command -v klatch || true)
  if [ "$found" = "$1/klatch" ]; then
    return
  elif [ -n "$found" ]; then
    say "but $found comes first in PATH: remove it, or put $1 before it"
  else
    say "$1 is not in PATH; add it to your shell's profile: export PATH=\"$1:\$PATH\""
  fi
}

main() {
  version=
  to=
  folder=
  from=${KLATCH_DOWNLOAD_URL:-$REPOSITORY/releases}
  while [ $# -gt 0 ]; do
    case $1 in
      --version=* | --to=* | --from=*)
        option=$1
        shift
        set -- "${option%%=*}" "${option#*=}" "$@"
        ;;
      --version | --to | --from)
        [ $# -gt 1 ] || die "$1 needs a value"
        case $1 in
          --version) version=${2#v} ;;
          --to) to=$2 ;;
          --from) from=$2 ;;
        esac
        shift 2
        ;;
      --folder)
        folder=yes
        shift
        ;;
      -h | --help)
        usage
        return
        ;;
      *) die "unknown option $1; install.sh --help lists the options" ;;
    esac
  done

  name=klatch-$(platform)
  case $name in
    *-linux-*)
      if [ -n "$folder" ]; then
        name=$name-folder
      elif ! has_glibc; then
        die "this system has no glibc, which klatch needs. There are two ways:" \
          "run this again with --folder (as root) for a directory at /klatch that brings its own;" \
          "or, in an image, copy that directory from klatch's image: COPY --from=IMAGE /klatch /klatch"
      fi
      ;;
    *) [ -z "$folder" ] || die "--folder is for Linux only" ;;
  esac

  base=${from%/}/latest/download
  if [ -n "$version" ]; then base=${from%/}/download/v$version; fi
  if [ -z "$to" ]; then
    if [ "$(id -u)" = 0 ]; then to=/usr/local/bin; else to=$HOME/.local/bin; fi
  fi

  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM
  fetch "$base" "$name.tar.gz" "$work"
  if [ -n "$folder" ]; then install_folder "$work/klatch"; else install_binary "$work/klatch" "$to"; fi
}

main "$@"
