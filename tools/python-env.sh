#!/usr/bin/env bash
# Makes the Python environment of the interop tests (tests/interop/requirements.txt) once and prints its interpreter.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
requirements=$here/../tests/interop/requirements.txt
python=${PYTHON:-python3}
die() { echo "python-env.sh: $*" >&2; exit 1; }
command -v "$python" >/dev/null || die "needs Python 3; on Debian: apt-get install python3 python3-venv"
stamp=$({ cat "$requirements"; "$python" -V; } | sha256sum | cut -c1-12)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bitacora
env=$cache/python-$stamp
if [ ! -e "$env/.complete" ]; then
  mkdir -p "$cache"; exec 9>"$cache/.python.lock"; flock 9
  if [ ! -e "$env/.complete" ]; then
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then # Debian ships it apart
      [ "$(id -u)" = 0 ] || die "please install the package python3-venv"
      { apt-get -q update && apt-get -q install -y python3-venv; } >/dev/null 2>&1 || die "apt-get install python3-venv failed"
    fi
    rm -rf "$env"
    "$python" -m venv "$env"
    "$env/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" >&2
    touch "$env/.complete"
  fi
fi
echo "$env/bin/python"
