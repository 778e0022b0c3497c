#!/usr/bin/env bash
# Prints "-p NAME" for each crate with files that differ from the main branch's last state, committed or not, and "--lib" behind them
# if one of them is a library: cargo refuses the word when none is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)
# A file belongs to the nearest folder above it that has a manifest.
{ git diff --name-only "$base"; git ls-files --others --exclude-standard; } | while read -r file; do
  folder=$(dirname "$file")
  while [ "$folder" != . ] && [ ! -f "$folder/Cargo.toml" ]; do folder=$(dirname "$folder"); done
  if [ "$folder" != . ]; then echo "$folder"; fi
done | sort -u | {
  lib=""
  while read -r folder; do
    sed -n 's/^name = "\(.*\)"/-p \1/p' "$folder/Cargo.toml" | head -n1
    if [ -f "$folder/src/lib.rs" ]; then lib=--lib; fi
  done
  echo $lib
}
