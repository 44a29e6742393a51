#!/bin/sh
# Provides the PostgreSQL programs, with which the tests start a server of their own: installs Debian's package if this
# user may, else says how.
set -u
. "$(dirname "$0")/debian.sh"

there() {
  command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1
}

there && exit 0

install_package postgresql "on which the tests of the stores run"

if ! there; then
  echo "The PostgreSQL tests will skip: there is no initdb (on Debian: sudo apt-get install postgresql)."
fi
