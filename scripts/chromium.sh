#!/bin/sh
# Provides /usr/bin/chromium, which the browser tests drive: installs Debian's package if this user may, else says how.
set -u

[ -x /usr/bin/chromium ] && exit 0

if command -v apt-get >/dev/null; then
  if [ "$(id -u)" -eq 0 ]; then
    as_root=""
  elif command -v sudo >/dev/null && sudo --non-interactive true 2>/dev/null; then
    as_root="sudo --non-interactive"
  else
    as_root="none"
  fi
  if [ "$as_root" != "none" ]; then
    echo "Installing Debian's chromium, which the browser tests drive."
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
  fi
fi

if [ ! -x /usr/bin/chromium ]; then
  echo "The browser tests will skip: there is no /usr/bin/chromium (on Debian: sudo apt-get install chromium)."
fi
