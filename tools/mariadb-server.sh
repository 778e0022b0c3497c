#!/usr/bin/env bash
# A real MariaDB server as plain processes.
#
#   mariadb-server.sh [--release bookworm|trixie|sid] VERB ...       (bookworm = 10.11, the default)
#     install | version
#     start [--port P] [--datadir D] [--gtid on|off] [--server-id N] [--bind A] [--fast] [--extra "--opt=v ..."]
#     foreground (same options)                  becomes the server process
#     stop | status [--datadir D | --port P]
#     client [--port P] [mariadb arguments...]   (root over TCP)
#     tool NAME [arguments...]                   (mariadb-binlog, mariadb-dump, mariadb-admin ...)
#
# Defaults: port 13316, server id 1, binlog (binlog.NNNNNN) in ROW format with full images and full metadata, every
# commit synced to disk.
# MariaDB always writes its own GTIDs; --gtid on (the default) makes it strict about their order.
# Accounts: root without password from this machine; debezium / dbz from anywhere with the least rights a source needs.
# --fast: no fsync, no doublewrite (survives a kill of the process, not of the machine): for tests, not for measurements.
PRODUCT=mariadb DAEMON=mariadbd DEFAULT_PORT=13316 SUITE=bookworm
if [ "${1:-}" = --release ]; then SUITE="$2"; shift 2; fi
PKGS="mariadb-server-core mariadb-client-core mariadb-client"
# shellcheck source=tools/database-server.sh
. "$(dirname "${BASH_SOURCE[0]}")/database-server.sh"

server_arguments() { # the folder of messages has had two names
  SHARE="$ROOT/usr/share/mariadb"; [ -d "$SHARE/charsets" ] || SHARE="$ROOT/usr/share/mysql"
  CHARSETS="$SHARE/charsets"
  SERVER_ARGUMENTS=(--lc-messages-dir="$SHARE/" --character-sets-dir="$CHARSETS" --innodb-log-file-size=48M)
}
client_program() { echo mariadb; }
gtid_options() {
  case "$1" in
    on) echo --gtid-strict-mode=ON ;;
    off) ;;
    *) die "--gtid takes on or off" ;;
  esac
}
initialise() { # what the distribution's install script does, without its Perl and its host names
  mkdir -p "$1/mysql"
  local script
  {
    printf '%s;\n' 'create database if not exists mysql' 'use mysql' 'SET @auth_root_socket=NULL' 'SET @skip_auth_anonymous=1'
    for script in mysql_system_tables mysql_performance_tables mariadb_system_tables mariadb_performance_tables \
      mysql_system_tables_data mariadb_system_tables_data maria_add_gis_sp_bootstrap mysql_sys_schema mariadb_sys_schema; do
      [ ! -e "$SHARE/$script.sql" ] || cat "$SHARE/$script.sql"
    done
  } | sed '/@current_hostname/d' | run sbin/mariadbd --no-defaults --bootstrap --user="$(id -un)" --datadir="$1" \
    --tmpdir="$(temporary_folder "$1")" "${SERVER_ARGUMENTS[@]}" --plugin-dir="$ROOT/usr/lib/mysql/plugin/" \
    --max-allowed-packet=64M --net-buffer-length=16K >>"$2" 2>&1
}
main "$@"
