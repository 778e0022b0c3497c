#!/usr/bin/env bash
# Prints a plugin folder with MariaDB's BLACKHOLE engine, which the packages of tools/mariadb-server.sh do not hold.
# The first call takes it from the package mariadb-server of the same version, unpacked below the same cache.
set -euo pipefail
TOOLS="$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../../tools" && pwd)"
BASE="${XDG_CACHE_HOME:-$HOME/.cache}/bitacora/mariadb-bookworm"
die() { echo "mariadb-blackhole.sh: $*" >&2; exit 1; }

"$TOOLS/mariadb-server.sh" install >/dev/null
exec 9>"$BASE/.plugin-lock"; flock 9
if [ ! -e "$BASE/plugin/ha_blackhole.so" ]; then
  # "... Ver 10.11.14-MariaDB-0+deb12u2 for ..." is the package version 1:10.11.14-0+deb12u2.
  version="$(sed -n 's/.*Ver \([0-9.]*\)-MariaDB-\([^ ]*\).*/1:\1-\2/p' "$BASE/version")"
  [ -n "$version" ] || die "cannot read the server's version in $BASE/version"
  work="$BASE/plugin.building"; rm -rf "$work"; mkdir -p "$work/root" "$work/lists/partial" "$work/archives/partial"
  : >"$work/status"; cat "$BASE"/apt/etc/*.sources >"$work/mirror.sources"
  apt=(apt-get -q -o Dir::Etc::sourcelist="$work/mirror.sources" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status" -o Dir::Cache="$work"
    -o Dir::Cache::archives="$work/archives" -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=root)
  "${apt[@]}" update >"$work/log" 2>&1 || die "apt-get update failed: $(tail -n2 "$work/log")"
  (cd "$work" && "${apt[@]}" download "mariadb-server=$version" >>log 2>&1) ||
    die "mariadb-server $version is not at the mirror; delete $BASE to install the present version"
  dpkg-deb -x "$work"/mariadb-server_*.deb "$work/root"
  mkdir -p "$BASE/plugin"
  mv "$work/root/usr/lib/mysql/plugin/ha_blackhole.so" "$BASE/plugin/"
  rm -rf "$work"
fi
echo "$BASE/plugin"
