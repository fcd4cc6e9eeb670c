#!/usr/bin/env bash
# Makes sure that a Docker engine answers, and ends one that was started here.
#
#   engine.sh start   use the engine that answers; else install the distribution's packages (as
#                     root or with sudo) and start the daemon
#   engine.sh stop    end the daemon if, and only if, `start` started it by hand
set -euo pipefail

python=${PYTHON:-.venv/bin/python}
started=/run/cp-simu-dockerd.pid
log=/var/log/cp-simu-dockerd.log

say() { printf 'engine: %s\n' "$*" >&2; }

answers() {
  "$python" -c 'import docker; docker.from_env(timeout=10).ping()' >/dev/null 2>&1
}

fail() {
  say "$1"
  printf 'hint: %s\n' "$2" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

may_be_root() {
  [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null; }
}

install_packages() {
  command -v apt-get >/dev/null || fail "no Docker engine, and no apt-get to install one" \
    "install Docker for your distribution, start it, and try again"
  say "installing the distribution's packages docker.io and iptables"
  as_root apt-get update -q >&2
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends docker.io iptables >&2
}

start_by_hand() {
  say "starting dockerd; its log is $log"
  # A daemon that was killed leaves its pid file; the number may belong to another process by now.
  if [ -f /var/run/docker.pid ] && ! grep -qs dockerd "/proc/$(cat /var/run/docker.pid)/comm"; then
    as_root rm -f /var/run/docker.pid
  fi
  as_root sh -c "setsid dockerd >>'$log' 2>&1 </dev/null & echo \$! >'$started'"
}

start() {
  if answers; then return; fi
  # Two words for the same thing: who may not talk to the socket, and who has no engine at all.
  if [ -z "${DOCKER_HOST:-}" ] && [ -S /var/run/docker.sock ] && [ ! -w /var/run/docker.sock ]; then
    fail "you may not use /var/run/docker.sock" \
      "sudo usermod -aG docker $(id -un), log in again, and try again"
  fi
  [ -z "${DOCKER_HOST:-}" ] || fail "no Docker engine answers at DOCKER_HOST=$DOCKER_HOST" \
    "start it, or unset DOCKER_HOST to use the engine of this machine"
  may_be_root || fail "no Docker engine answers, and only root can install and start one" \
    "run this as root or with sudo, or install Docker yourself"
  command -v dockerd >/dev/null || install_packages
  if ! answers; then
    if [ -d /run/systemd/system ]; then
      say "starting the service docker"
      as_root systemctl start docker
    else
      start_by_hand
    fi
  fi
  for _ in $(seq 120); do
    if answers; then
      say "the engine answers"
      return
    fi
    sleep 0.5
  done
  [ -f "$log" ] && tail -n 20 "$log" >&2
  fail "the Docker engine does not come up" "look at $log, or at: journalctl -u docker"
}

stop() {
  [ -f "$started" ] || return 0
  pid=$(cat "$started")
  if grep -qs dockerd "/proc/$pid/comm"; then
    say "ending dockerd"
    as_root kill "$pid"
    for _ in $(seq 60); do
      [ -d "/proc/$pid" ] || break
      sleep 0.5
    done
  fi
  as_root rm -f "$started"
}

case "${1:-}" in
  start) start ;;
  stop) stop ;;
  *) printf 'usage: %s start|stop\n' "$0" >&2; exit 2 ;;
esac
