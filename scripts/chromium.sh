#!/bin/sh
# Provides /usr/bin/chromium, which the browser tests drive: installs Debian's package if this user may, else says how.
set -u
. "$(dirname "$0")/debian.sh"

[ -x /usr/bin/chromium ] && exit 0

install_package chromium "which the browser tests drive"

if [ ! -x /usr/bin/chromium ]; then
  echo "The browser tests will skip: there is no /usr/bin/chromium (on Debian: sudo apt-get install chromium)."
fi
