#!/usr/bin/env bash
# Makes sure that a Docker engine answers, and ends one that was started here.
#
#   engine.sh start   use the engine that answers; else install the distribution's packages (as
#                     root or with sudo) and start the daemon
#   engine.sh run …   run a command that uses the engine, also right after `start` has let this
#                     user use it: the shell learns of that only at the next login
#   engine.sh stop    end the daemon if, and only if, `start` started it by hand
set -euo pipefail

# A plain user's path lacks the folder of daemons.
PATH=$PATH:/usr/sbin:/sbin
python=${PYTHON:-.venv/bin/python}
started=/run/cp-simu-dockerd.pid
log=/var/log/cp-simu-dockerd.log
socket=/var/run/docker.sock

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

lacks_permission() {
  [ -z "${DOCKER_HOST:-}" ] && [ -S "$socket" ] && [ ! -w "$socket" ]
}

permit() {
  say "letting $(id -un) use the engine: adding the group docker"
  as_root usermod -aG docker "$(id -un)"
}

install_packages() {
  command -v apt-get >/dev/null || fail "no Docker engine, and no apt-get to install one" \
    "install Docker for your distribution, start it, and try again"
  say "installing the distribution's packages docker.io, iptables and ca-certificates"
  as_root apt-get update -q >&2
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends docker.io iptables ca-certificates >&2
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
  if lacks_permission; then
    if in_group; then return; fi
    fail "you may not use $socket" \
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
    if lacks_permission; then
      permit
      return
    fi
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

# Whether this user is in the group by now, even if this shell does not know yet.
in_group() {
  id -nG "$(id -un)" | tr ' ' '\n' | grep -qx docker
}

run() {
  if lacks_permission && in_group; then
    exec sg docker -c "$(printf '%q ' "$@")"
  fi
  exec "$@"
}

case "${1:-}" in
  start) start ;;
  run) shift; run "$@" ;;
  stop) stop ;;
  *) printf 'usage: %s start|run COMMAND…|stop\n' "$0" >&2; exit 2 ;;
esac
