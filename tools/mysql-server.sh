#!/usr/bin/env bash
# A real MySQL server (the newest in Debian) as plain processes.
#
#   mysql-server.sh install | version
#   mysql-server.sh start [--port P] [--datadir D] [--gtid on|off] [--server-id N] [--bind A] [--fast] [--extra "--opt=v ..."]
#   mysql-server.sh foreground (same options)       becomes the server process
#   mysql-server.sh stop | status [--datadir D | --port P]
#   mysql-server.sh client [--port P] [mysql arguments...]         (root over TCP)
#   mysql-server.sh tool NAME [arguments...]                       (mysqlbinlog, mysqldump, mysqladmin ...)
#
# Defaults: port 13306, GTIDs on, server id 1, binlog (binlog.NNNNNN) in ROW format with full images and full metadata, every
# commit synced to disk.
# Accounts: root without password from this machine; debezium / dbz from anywhere with the least rights a source needs.
# --fast: no fsync, no doublewrite (survives a kill of the process, not of the machine): for tests, not for measurements.
PRODUCT=mysql DAEMON=mysqld DEFAULT_PORT=13306
SUITE="${BITACORA_MYSQL_SUITE:-sid}"
PKGS="mysql-server-core mysql-client-core"
# shellcheck source=tools/database-server.sh
. "$(dirname "${BASH_SOURCE[0]}")/database-server.sh"
CHARSETS="$ROOT/usr/share/mysql/charsets"

server_arguments() { SERVER_ARGUMENTS=(--mysqlx=OFF --lc-messages-dir="$ROOT/usr/share/mysql/"); }
client_program() { echo mysql; }
gtid_options() {
  case "$1" in
    on) echo --gtid-mode=ON --enforce-gtid-consistency=ON ;;
    off) echo --gtid-mode=OFF --enforce-gtid-consistency=OFF ;;
    *) die "--gtid takes on or off" ;;
  esac
}
initialise() {
  run sbin/mysqld --no-defaults --initialize-insecure --user="$(id -un)" --datadir="$1" --tmpdir="$(temporary_folder "$1")" \
    --innodb-redo-log-capacity=8M --lc-messages-dir="$ROOT/usr/share/mysql/" --log-error="$2" >>"$2" 2>&1
}
main "$@"
