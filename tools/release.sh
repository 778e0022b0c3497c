#!/usr/bin/env bash
# Builds the `bitacora` that is handed out and prints its path: a release build that was guided by a profile, and that needs no library
# of the machine it runs on (glibc is linked in).
#
# A first build notes which ways are taken while bench/train.py works it on a real MySQL, with other tables than the measured one; the
# second is compiled with these notes. A catch-up then takes a fifth less processor time than with a plain release build.
# Needs the LLVM tools of the compiler's version (llvm-tool.sh); the notes are made anew for each build and are not kept.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools/cargo-env.sh >&2
root=$PWD/${CARGO_TARGET_DIR:-target}
case ${CARGO_TARGET_DIR:-} in /*) root=$CARGO_TARGET_DIR ;; esac
host=$(rustc -vV | sed -n 's/^host: //p')
profdata=$(tools/llvm-tool.sh llvm-profdata)
notes=$root/profile
rm -rf "$notes"; mkdir -p "$notes"
build() { # target folder, flags; the whole program is seen at once, which takes minutes more than a plain release build
  CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 CARGO_PROFILE_RELEASE_STRIP=debuginfo \
    CARGO_TARGET_DIR=$root/$1 RUSTFLAGS="-Ctarget-feature=+crt-static $2" \
    cargo build --quiet --release --target "$host" -p bitacora >&2
}
build guided/notes "-Cprofile-generate=$notes"
BITACORA_BIN=$root/guided/notes/$host/release/bitacora "$(tools/python-env.sh)" bench/train.py >&2
"$profdata" merge -o "$notes/all.profdata" "$notes"/*.profraw
build guided/final "-Cprofile-use=$notes/all.profdata"
binary=$root/guided/final/$host/release/bitacora
if readelf --dynamic "$binary" | grep -q NEEDED; then echo "release.sh: $binary is not static" >&2; exit 1; fi
echo "$binary"
