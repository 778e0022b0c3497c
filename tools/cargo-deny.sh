#!/usr/bin/env bash
# Checks licences, sources, duplicates and advisories of the dependencies by deny.toml. Works without a network: what
# cannot be checked then is named, and is no failure. `--offline` fetches nothing at all.
#
# It needs cargo-deny on the path (`cargo install --locked cargo-deny`). RustSec's database of advisories is a git
# repository, which `cargo deny fetch db` gets; here it is only read.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
databases=${CARGO_HOME:-$HOME/.cargo}/advisory-dbs

deny=$(command -v cargo-deny || true)
if [ -z "$deny" ]; then
  echo "licences, sources and advisories of dependencies are not checked: cargo install --locked cargo-deny" >&2
  exit 0
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
