#!/usr/bin/env bash
# Records a log of tests/golden/ anew, with a real server of its own that is gone afterwards.
#
#   record.sh SET SERVER      SET: spelling, events or metadata; SERVER: mysql or mariadb
#
# Runs the statements of SET (what generate.py prints, SERVER.sql, tables.sql) in a log file of their own and writes that file beside
# them as SERVER-VERSION.gz. Port: BITACORA_RECORD_PORT or 23999.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
set="$1" server="$2" port="${BITACORA_RECORD_PORT:-23999}"
tool="$here/../../../../tools/$server-server.sh"
work="$(mktemp -d)"
trap '"$tool" stop --datadir "$work/data" --port "$port" >/dev/null; rm -rf "$work"' EXIT

case "$set" in
  spelling) python3 "$here/spelling/generate.py" "$server" >"$work/statements.sql" ;;
  events) cp "$here/events/$server.sql" "$work/statements.sql" ;;
  metadata) cp "$here/metadata/tables.sql" "$work/statements.sql" ;;
  *) sed -n '2,/^set/s/^# \?//p' "$0"; exit 2 ;;
esac
"$tool" start --port "$port" --datadir "$work/data" --fast --extra "--server-id=77"
"$tool" client --port "$port" -e "FLUSH BINARY LOGS"
log="$("$tool" client --port "$port" -N -B -e "SHOW BINARY LOGS" | tail -n1 | cut -f1)"
"$tool" client --port "$port" <"$work/statements.sql" >"$work/out"
"$tool" client --port "$port" -e "FLUSH BINARY LOGS"
version="$("$tool" client --port "$port" -N -B -e "SELECT regexp_substr(version(), '^[0-9.]+')")"
gzip -9n <"$work/data/$log" >"$here/$set/$server-$version.gz"
ls -l "$here/$set/$server-$version.gz"
