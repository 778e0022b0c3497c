#!/usr/bin/env bash
# Records a log of tests/golden/ anew, with a real server of its own that is gone afterwards.
#
#   record.sh SET SERVER      SET: spelling, events, metadata or tool; SERVER: mysql or mariadb
#
# Runs the statements of SET (what generate.py prints, SERVER.sql, tables.sql) in a log file of their own and writes that file beside
# them as SERVER-VERSION.gz; where the statements begin new files, all of them as one. Port: BITACORA_RECORD_PORT or 23999.
# The set tool needs no server: it writes what the server's own tool prints of the log SERVER-VERSION/binlog.000001, header lines and rows.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
usage() { sed -n 4p "$0" >&2; exit 2; }
[ $# -eq 2 ] || usage
set="$1" server="$2" port="${BITACORA_RECORD_PORT:-23999}"
tool="$here/../../../../tools/$server-server.sh"
work="$(mktemp -d)"
if [ "$set" = tool ]; then
  case "$server" in mysql) program=mysqlbinlog ;; *) program=mariadb-binlog ;; esac
  for log in "$here/$server"-*/binlog.000001.gz; do
    zcat "$log" >"$work/log"
    TZ=UTC "$tool" tool "$program" -vv --base64-output=decode-rows "$work/log" | grep -aE '^(#[0-9]{6} |###)' |
      gzip -9n >"${log%.gz}.$program.gz"
  done
  rm -r "$work"
  exit
fi
trap '"$tool" stop --datadir "$work/data" --port "$port" >/dev/null; rm -rf "$work"' EXIT

case "$set" in
  spelling) python3 "$here/spelling/generate.py" "$server" >"$work/statements.sql" ;;
  events) cp "$here/events/$server.sql" "$work/statements.sql" ;;
  metadata) cp "$here/metadata/tables.sql" "$work/statements.sql" ;;
  *) usage ;;
esac
"$tool" start --port "$port" --datadir "$work/data" --fast --extra "--server-id=77"
"$tool" client --port "$port" -e "FLUSH BINARY LOGS"
logs() { "$tool" client --port "$port" -N -B -e "SHOW BINARY LOGS" | cut -f1; }
first="$(logs | tail -n1)"
"$tool" client --port "$port" <"$work/statements.sql" >"$work/out"
"$tool" client --port "$port" -e "FLUSH BINARY LOGS"
version="$("$tool" client --port "$port" -N -B -e "SELECT regexp_substr(version(), '^[0-9.]+')")"
# One magic number, then the events of each file but the one that is still open.
{ printf '\xfebin'; for log in $(logs | head -n -1); do [[ $log < $first ]] || tail -c +5 "$work/data/$log"; done; } |
  gzip -9n >"$here/$set/$server-$version.gz"
ls -l "$here/$set/$server-$version.gz"
