#!/bin/sh
# Provides the PostgreSQL programs, with which the tests start a server of their own: installs Debian's package if this
# user may, else says how.
set -u

there() {
  command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1
}

there && exit 0

if command -v apt-get >/dev/null; then
  if [ "$(id -u)" -eq 0 ]; then
    as_root=""
  elif command -v sudo >/dev/null && sudo --non-interactive true 2>/dev/null; then
    as_root="sudo --non-interactive"
  else
    as_root="none"
  fi
  if [ "$as_root" != "none" ]; then
    echo "Installing Debian's postgresql, on which the tests of the stores run."
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql
  fi
fi

if ! there; then
  echo "The PostgreSQL tests will skip: there is no initdb (on Debian: sudo apt-get install postgresql)."
fi
