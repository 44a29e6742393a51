#!/bin/sh
# Provides Node.js and npm, which check the JavaScript: installs Debian's packages if this user may and they are new
# enough, else says what is missing and fails.
set -u

OLDEST="20.19"

# Whether the version $1 is at least the oldest that the checks run with.
enough() {
  [ "$(printf '%s\n%s\n' "$OLDEST" "$1" | sort -V | head -n 1)" = "$OLDEST" ]
}

there() {
  command -v node >/dev/null && command -v npm >/dev/null && enough "$(node --version | tr -d v)"
}

there && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq
  candidate=$(apt-cache policy nodejs | sed -n 's/^ *Candidate: *//p' | sed 's/[~+-].*//')
  if [ -n "$candidate" ] && enough "$candidate"; then
    echo "Installing Debian's nodejs and npm, which check the JavaScript."
    env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm
  fi
fi

if ! there; then
  found=$(command -v node >/dev/null && node --version || echo "none")
  echo "Node.js $OLDEST or newer and npm are needed for the checks; the app itself runs without them. Found: $found." >&2
  exit 1
fi
