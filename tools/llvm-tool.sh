#!/usr/bin/env bash
# Prints the path of one of the compiler's LLVM tools (llvm-profdata, llvm-cov): the toolchain's, or Debian's of the same version, which
# is installed if it is absent.
set -euo pipefail
sysroot=$(rustc --print sysroot)
host=$(rustc -vV | sed -n 's/^host: //p')
llvm=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
find_tool() {
  local place
  for place in "$sysroot/lib/rustlib/$host/bin/$1" "/usr/lib/llvm-$llvm/bin/$1"; do
    if [ -x "$place" ]; then echo "$place"; return 0; fi
  done
  return 1
}
if ! find_tool "$1" >/dev/null; then
  rustup component add llvm-tools >/dev/null 2>&1 || true
fi
if ! find_tool "$1" >/dev/null && [ "$(id -u)" = 0 ]; then
  { apt-get -q update && apt-get -q install -y --no-install-recommends "llvm-$llvm"; } >/dev/null 2>&1 || true
fi
find_tool "$1" || { echo "llvm-tool.sh: needs the tools of LLVM $llvm: rustup component add llvm-tools" >&2; exit 1; }
