#!/usr/bin/env bash
# Makes sure that `docker compose` (v2) works for this user; does nothing where it does.
#
# Else it installs the distribution's package of it where there is one (docker-compose-v2,
# docker-compose-plugin, docker-compose of version 2; as root or with sudo; likewise docker-cli
# where there is no docker command). Where there is none, as on Debian 12, it takes
# Debian 13's package docker-compose, which needs nothing but the C library, and puts the program
# into ~/.docker/cli-plugins; apt verifies it, and the system's own package lists stay as they are.
set -euo pipefail

suite=trixie
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
plugins=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins

say() { printf 'compose: %s\n' "$*" >&2; }

fail() {
  say "$1"
  printf 'hint: %s\n' "$2" >&2
  exit 1
}

works() { docker compose version >/dev/null 2>&1; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# The distribution's package of Compose v2, if any: docker-compose was version 1 for long.
packaged() {
  local package
  for package in docker-compose-v2 docker-compose-plugin; do
    if apt-cache show "$package" >/dev/null 2>&1; then
      printf '%s\n' "$package"
      return
    fi
  done
  if apt-cache show docker-compose 2>/dev/null | grep -qE '^Version: ([2-9]|[1-9][0-9])\.'; then
    printf 'docker-compose\n'
  fi
}

install_package() {
  say "installing the distribution's package $1"
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "$1" >&2
}

# apt with lists, sources and cache of its own: it writes nothing outside of $root.
apt_of_suite() {
  apt-get -q -o "Dir::State=$root/state" -o "Dir::Cache=$root/cache" \
    -o "Dir::Etc::SourceList=$root/sources.list" -o "Dir::Etc::SourceParts=$root/none" \
    -o "Dir::State::Status=$root/status" -o APT::Sandbox::User=root "$@" >&2
}

take_from_suite() {
  [ -r "$keyring" ] || fail "docker compose is missing, and $keyring to verify Debian's" \
    "install Docker Compose v2 for your distribution, and try again"
  say "taking Docker Compose from Debian's $suite into $plugins"
  root=$(mktemp -d)
  trap 'rm -rf "$root"' EXIT
  mkdir -p "$root"/state/lists/partial "$root"/cache/archives/partial "$root"/none "$root"/deb
  : >"$root/status"
  printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" >"$root/sources.list"
  apt_of_suite update
  (cd "$root/deb" && apt_of_suite download docker-compose)
  dpkg-deb -x "$root"/deb/docker-compose_*.deb "$root/files"
  mkdir -p "$plugins"
  install -m 755 "$root/files/usr/libexec/docker/cli-plugins/docker-compose" \
    "$plugins/docker-compose"
}

if works; then exit 0; fi
command -v apt-get >/dev/null || fail "docker compose is missing, and apt-get to install it" \
  "install Docker Compose v2 for your distribution, and try again"
command -v docker >/dev/null || install_package docker-cli
package=$(packaged)
if [ -n "$package" ]; then install_package "$package"; else take_from_suite; fi
works || fail "docker compose does not run" "try it: docker compose version"
say "$(docker compose version)"
