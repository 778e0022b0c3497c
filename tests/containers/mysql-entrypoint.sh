#!/usr/bin/env bash
# Entry point of the stand-in for the MySQL images (base-images.sh): what the official image's does, as far as deploy/ and the tutorial
# use it. Its rules: arguments that begin with a dash are mysqld's; an empty data folder is initialised by a server without
# network, which makes root's password, MYSQL_DATABASE, MYSQL_USER with MYSQL_PASSWORD, and reads *.sh, *.sql and *.sql.gz of
# /docker-entrypoint-initdb.d in the order of their names (.sql into MYSQL_DATABASE); then mysqld, as the user mysql.
set -euo pipefail
[ "${1:0:1}" != - ] || set -- mysqld "$@"
[ "$1" = mysqld ] || exec "$@"
data=/var/lib/mysql socket=/var/run/mysqld/mysqld.sock
set -- "$@" --socket="$socket" --mysqlx=OFF
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$data" /var/run/mysqld
  find "$data" /var/run/mysqld \! -user mysql -exec chown mysql: {} +
  exec setpriv --reuid mysql --regid mysql --clear-groups "$BASH_SOURCE" "$@"
fi
say() { echo "$(date -u +%FT%TZ) [Note] [Entrypoint]: $*"; }
if [ ! -d "$data/mysql" ]; then
  [ -n "${MYSQL_ROOT_PASSWORD:-}${MYSQL_ALLOW_EMPTY_PASSWORD:-}" ] ||
    { say "Database is uninitialized and password option is not specified"; exit 1; }
  say "Initializing database files"
  "$@" --initialize-insecure --datadir="$data"
  say "Starting temporary server"
  "$@" --daemonize --skip-networking --datadir="$data" --pid-file=/var/run/mysqld/first.pid --log-error=/tmp/first.log
  sql() { mysql --no-defaults --protocol=socket -uroot -S "$socket" "$@"; }
  sql --comments <<SQL
SET @@SESSION.SQL_LOG_BIN = 0;
CREATE USER 'root'@'%' IDENTIFIED BY '${MYSQL_ROOT_PASSWORD:-}';
GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;
ALTER USER 'root'@'localhost' IDENTIFIED BY '${MYSQL_ROOT_PASSWORD:-}';
SQL
  export MYSQL_PWD=${MYSQL_ROOT_PASSWORD:-}
  [ -z "${MYSQL_DATABASE:-}" ] || { say "Creating database $MYSQL_DATABASE"; sql -e "CREATE DATABASE IF NOT EXISTS \`$MYSQL_DATABASE\`"; }
  if [ -n "${MYSQL_USER:-}" ] && [ -n "${MYSQL_PASSWORD:-}" ]; then
    sql -e "CREATE USER '$MYSQL_USER'@'%' IDENTIFIED BY '$MYSQL_PASSWORD'"
    [ -z "${MYSQL_DATABASE:-}" ] || sql -e "GRANT ALL ON \`${MYSQL_DATABASE//_/\\_}\`.* TO '$MYSQL_USER'@'%'"
  fi
  for file in /docker-entrypoint-initdb.d/*; do
    case "$file" in
      *.sh) say "sourcing $file"; . "$file" ;;
      *.sql) say "running $file"; sql ${MYSQL_DATABASE:+"$MYSQL_DATABASE"} <"$file" ;;
      *.sql.gz) say "running $file"; gunzip -c "$file" | sql ${MYSQL_DATABASE:+"$MYSQL_DATABASE"} ;;
      *) say "ignoring $file" ;;
    esac
  done
  say "Stopping temporary server"
  mysqladmin --no-defaults --protocol=socket -uroot -S "$socket" shutdown
  while [ -e /var/run/mysqld/first.pid ]; do sleep 0.2; done
  unset MYSQL_PWD
  say "MySQL init process done. Ready for start up."
fi
exec "$@"
