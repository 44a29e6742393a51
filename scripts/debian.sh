# Sourced by the scripts beside it.

# install_package NAME PURPOSE: installs Debian's package if this user may (root, or sudo without a password).
install_package() {
  command -v apt-get >/dev/null || return 0
  if [ "$(id -u)" -eq 0 ]; then
    as_root=""
  elif command -v sudo >/dev/null && sudo --non-interactive true 2>/dev/null; then
    as_root="sudo --non-interactive"
  else
    return 0
  fi
  echo "Installing Debian's $1, $2."
  $as_root apt-get update -qq
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1"
}
