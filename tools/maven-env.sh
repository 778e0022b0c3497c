#!/usr/bin/env bash
# Makes sure of a JDK (17 or newer) and Maven, and prints the JDK's folder. As root on Debian it installs what is missing.
set -euo pipefail
die() { echo "maven-env.sh: $*" >&2; exit 1; }
missing=()
command -v java >/dev/null || [ -n "${JAVA_HOME:-}" ] || missing+=(default-jdk-headless)
command -v mvn >/dev/null || missing+=(maven)
command -v curl >/dev/null || missing+=(curl)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    die "please install: ${missing[*]} (on Debian: sudo apt-get install ${missing[*]})"
  fi
  log=$(mktemp)
  { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 ||
    { tail -n5 "$log" >&2; die "apt-get install ${missing[*]} failed; the log is $log"; }
  rm -f "$log"
fi
home=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}
major=$("$home/bin/java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n1)
[ "${major:-0}" -ge 17 ] || die "needs a JDK of 17 or newer; $home has version ${major:-unknown}"
echo "$home"
