#!/usr/bin/env bash
# Makes the virtual environment VENV and installs this project with its development tools into it.
#
#   venv.sh VENV
set -euo pipefail

venv=$1
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  printf 'error: Python 3.11 or newer is needed, %s is %s\n' "$python" "$("$python" -V 2>&1)" >&2
  printf 'hint: make PYTHON=/path/to/python3.11 …\n' >&2
  exit 1
}

# Debian keeps venv and pip in packages of their own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  printf 'venv: installing the distribution package %s\n' "$package" >&2
  root=
  [ "$(id -u)" -eq 0 ] || root=sudo
  $root apt-get update -q >&2
  $root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "$package" >&2
fi

printf 'venv: installing into %s\n' "$venv" >&2
"$python" -m venv --clear "$venv"
# Dependency groups need pip 25.1.
"$venv/bin/python" -m pip install -q --disable-pip-version-check --upgrade 'pip>=25.1'
"$venv/bin/python" -m pip install -q --disable-pip-version-check --editable . --group dev
