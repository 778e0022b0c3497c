#!/usr/bin/env bash
# Says what is missing before a build would fail in a less readable way. Installs a C compiler as root on Debian.
set -euo pipefail
command -v cargo >/dev/null || { echo "Rust is missing: https://rustup.rs (the toolchain is pinned in rust-toolchain.toml)" >&2; exit 1; }
command -v cc >/dev/null && exit 0
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "please install a C compiler (on Debian: sudo apt-get install gcc libc6-dev)" >&2; exit 1; }
{ apt-get -q update && apt-get -q install -y --no-install-recommends gcc libc6-dev make; } >/dev/null 2>&1 ||
  { echo "apt-get install gcc libc6-dev failed" >&2; exit 1; }
