#!/usr/bin/env bash
# Prints the path of Chromium; installs Debian's packages of it and of its driver first where they are absent.
set -euo pipefail
die() { echo "chromium.sh: $*" >&2; exit 1; }
missing() { ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; }
if missing; then
  command -v apt-get >/dev/null || die "needs chromium and chromedriver in the PATH; this system has no apt-get to install them"
  [ "$(id -u)" = 0 ] || die "please install the packages chromium and chromium-driver, or run this once as root"
  { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends chromium chromium-driver fonts-liberation; } \
    >/dev/null 2>&1 || die "apt-get install chromium chromium-driver failed"
  ! missing || die "the packages chromium and chromium-driver gave no chromium or chromedriver in the PATH"
fi
command -v chromium
