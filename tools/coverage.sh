#!/usr/bin/env bash
# Lines that the tests run, as a table: of the whole workspace, or of the packages that are named. Rust tests, and those which start
# AeroAlpes' programs from outside. Uses the toolchain's LLVM tools, or Debian's of the same version.
#   coverage.sh [PACKAGE …]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools/cargo-env.sh
target=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}/coverage")
profdata=$(tools/llvm-tool.sh llvm-profdata)
cov=$(tools/llvm-tool.sh llvm-cov)
mkdir -p "$target"; find "$target" -name '*.profraw' -delete
# Processes of one binary add up in a few files: a profile for each of the thousands that the tests start would fill a disk.
export CARGO_TARGET_DIR=$target RUSTFLAGS="-C instrument-coverage" LLVM_PROFILE_FILE="$target/%8m.profraw"
which=(--workspace) folders=()
if [ $# -gt 0 ]; then which=(); for package in "$@"; do which+=(--package "$package"); done; fi
# What `cargo test` would build: with other features of shared crates, everything above them would be built twice.
cargo build --quiet "${which[@]}" --all-targets
if [ $# -gt 0 ]; then cargo build --quiet --package bitacora --package aeroalpes; fi
cargo test --quiet "${which[@]}" --no-fail-fast
BITACORA_BIN=$target/debug/bitacora AEROALPES_BIN=$target/debug/aeroalpes \
  "$(tools/python-env.sh)" -m pytest -c tests/pytest.ini -m "not conformance" tests/aeroalpes
mapfile -t binaries < <(cargo test --quiet "${which[@]}" --no-run --message-format=json 2>/dev/null |
  python3 -c 'import json, sys
for line in sys.stdin:
    found = json.loads(line) if line.startswith("{") else {}
    if found.get("executable"): print(found["executable"])')
objects=(--object "$target/debug/bitacora" --object "$target/debug/aeroalpes")
for binary in "${binaries[@]}"; do objects+=(--object "$binary"); done
for package in "$@"; do
  folders+=("$(cargo metadata --no-deps --format-version 1 | python3 -c 'import json, os, sys
print(next(os.path.dirname(p["manifest_path"]) for p in json.load(sys.stdin)["packages"] if p["name"] == sys.argv[1]))' "$package")/")
done
find "$target" -name '*.profraw' >"$target/profiles"
# A process that a test kills may leave half a profile.
"$profdata" merge --sparse --failure-mode=all --input-files="$target/profiles" -o "$target/all.profdata"
"$cov" report "${objects[@]:1}" --instr-profile="$target/all.profdata" --ignore-filename-regex='(/\.cargo/|/rustc/|/testkit/|/tests/|/examples/)' "${folders[@]}" | tee "$target/report"
echo; echo "lines run, by crate"
awk '$1 ~ /\.rs$/ { split($1, part, "/"); crate = part[1] "/" (part[1] == "aeroalpes" ? part[3] : part[2]); if (part[1] == "aeroalpes") add("aeroalpes"); add(crate) }
  function add(name) { lines[name] += $8; missed[name] += $9 }
  END { for (name in lines) if (lines[name]) printf "%-26s %6d of %6d  %5.1f %%\n", name, lines[name] - missed[name], lines[name], 100 - 100 * missed[name] / lines[name] }' \
  "$target/report" | sort
