#!/usr/bin/env bash
# Prints "-p NAME" for each crate with files that differ from the main branch's last state, committed or not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)
{ git diff --name-only "$base"; git ls-files --others --exclude-standard; } | sed -n 's|^crates/\([^/]*\)/.*|\1|p' | sort -u |
  while read -r crate; do
    if [ -f "crates/$crate/Cargo.toml" ]; then sed -n 's/^name = "\(.*\)"/-p \1/p' "crates/$crate/Cargo.toml" | head -n1; fi
  done
