# Common part of mysql-server.sh and mariadb-server.sh: a database server as plain processes, without container,
# chroot or system service. Sourced, not run. The script that sources it sets
#   PRODUCT DAEMON SUITE PKGS DEFAULT_PORT   and defines   initialise DATADIR LOG, client_program, gtid_options on|off
#
# A private apt configuration (own lists, empty dpkg status) aims at one suite of the mirror which the machine's own apt
# uses. The packages with all their dependencies, the C library too, are unpacked below the cache, and the programs run
# through the unpacked loader, so neither the machine's packages nor its C library matter and root is not needed.
# The first start initialises a template data folder; later starts copy it (new server uuid, empty log).
set -euo pipefail
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/bitacora"
BASE="$CACHE/$PRODUCT-$SUITE"
ROOT="$BASE/root"
TEMPLATE="$BASE/template"
LIBDIR="$ROOT/usr/lib/x86_64-linux-gnu"

die() { echo "$(basename "$0"): $*" >&2; exit 1; }

# Runs a program of the unpacked packages: run sbin/mysqld ARGUMENTS...
run() { local program="$1"; shift; "$LIBDIR/ld-linux-x86-64.so.2" --library-path "$LIBDIR" "$ROOT/usr/$program" "$@"; }

# The Debian mirror in the machine's own apt configuration (both file forms); security suites are left out.
mirror() {
  local file
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -r "$file" ] || continue
    awk 'function flush() { if (uri != "" && suites != "" && suites !~ /security/ && parts ~ /(^| )main( |$)/) { print uri; done = 1; exit } uri = suites = parts = "" }
         /^[ \t]*#/ { next }
         /^[ \t]*$/ { flush(); next }
         tolower($1) == "uris:" { uri = $2 }
         tolower($1) == "suites:" { $1 = ""; suites = $0 }
         tolower($1) == "components:" { $1 = ""; parts = $0 }
         END { if (!done) flush() }' "$file"
  done | head -n1 | grep . && return 0
  awk '$1 == "deb" { i = 2; if ($2 ~ /^\[/) { while ($i !~ /\]$/) i++; i++ }
         if ($(i + 1) !~ /security|backports/ && $0 ~ / main( |$)/) { print $i; exit } }' \
    /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | grep .
}

install_packages() {
  [ ! -e "$BASE/.installed" ] || return 0
  mkdir -p "$BASE"; exec 9>"$BASE/.lock"; flock 9
  [ ! -e "$BASE/.installed" ] || { exec 9>&-; return 0; }
  command -v apt-get >/dev/null || die "needs the apt-get of a Debian machine to download $PRODUCT"
  [ "$(dpkg --print-architecture)" = amd64 ] || die "needs an amd64 machine"
  local uri apt="$BASE/apt" package folder
  uri="$(mirror)" || die "found no Debian mirror in /etc/apt; add one to /etc/apt/sources.list"
  [ -r /usr/share/keyrings/debian-archive-keyring.gpg ] || die "needs the package debian-archive-keyring"
  echo "$PRODUCT: downloading the server's packages (once)" >&2
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/etc"
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
    "$uri" "$SUITE" >"$apt/etc/mirror.sources"
  : >"$apt/etc/status"
  cat >"$apt/etc/apt.conf" <<CONF
Dir::Etc::sourcelist "$apt/etc/mirror.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/etc/status";
Dir::State::extended_states "$apt/etc/extended";
Dir::Cache "$apt";
Dir::Cache::archives "$apt/archives";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
APT::Keep-Downloaded-Packages "true";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
CONF
  APT_CONFIG="$apt/etc/apt.conf" apt-get -q update >"$apt/update.log" 2>&1 ||
    { tail -n5 "$apt/update.log" >&2; die "apt-get update failed; is the mirror $uri reachable?"; }
  # shellcheck disable=SC2086
  APT_CONFIG="$apt/etc/apt.conf" apt-get -q install -y --download-only $PKGS >"$apt/download.log" 2>&1 ||
    { tail -n5 "$apt/download.log" >&2; die "the download of $PKGS failed"; }
  rm -rf "$ROOT"; mkdir -p "$ROOT"
  for package in "$apt"/archives/*.deb; do
    case "${package##*/}" in perl* | libperl* | libc-gconv*) continue ;; esac # only helper scripts need them
    dpkg-deb -x "$package" "$ROOT"
  done
  for folder in lib lib64; do # suites older than the merged /usr
    if [ -d "$ROOT/$folder" ] && [ ! -L "$ROOT/$folder" ]; then
      mkdir -p "$ROOT/usr/$folder"; cp -a "$ROOT/$folder/." "$ROOT/usr/$folder/"
      rm -rf "${ROOT:?}/$folder"; ln -s "usr/$folder" "$ROOT/$folder"
    fi
  done
  rm -rf "$ROOT/usr/share/doc" "$ROOT/usr/share/man" "$ROOT/usr/share/locale" "$apt/lists" "$apt/archives"
  run "sbin/$DAEMON" --no-defaults --version | sed "s|^.*/$DAEMON|$DAEMON|" >"$BASE/version"
  touch "$BASE/.installed"; exec 9>&-
}

make_template() { # the accounts are made through a socket, without network and without binlog
  [ ! -e "$TEMPLATE/.ready" ] || return 0
  exec 9>"$BASE/.lock"; flock 9
  [ ! -e "$TEMPLATE/.ready" ] || { exec 9>&-; return 0; }
  local building="$TEMPLATE.building" socket pid i
  rm -rf "$building" "$TEMPLATE"; mkdir -p "$building"
  initialise "$building/data" "$building/initialise.log" ||
    { tail -n5 "$building/initialise.log" >&2; die "could not initialise a data folder"; }
  socket="$(mktemp -u "/tmp/$PRODUCT-XXXXXX.sock")"
  arguments "$building/data" "$socket" "$building/pid"
  "${ARGUMENTS[@]}" --skip-networking --skip-log-bin </dev/null >>"$building/start.log" 2>&1 9>&- & pid=$!
  for i in $(seq 600); do
    kill -0 "$pid" 2>/dev/null || { tail -n5 "$building/start.log" >&2; die "$DAEMON ended at its first start"; }
    [ ! -S "$socket" ] || ! run "bin/$(client_program)" --no-defaults -uroot -S "$socket" -e 'select 1' >/dev/null 2>&1 || break
    sleep 0.1
  done
  run "bin/$(client_program)" --no-defaults -uroot -S "$socket" <<SQL
CREATE USER IF NOT EXISTS 'root'@'127.0.0.1' IDENTIFIED BY '';
GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;
CREATE USER 'debezium'@'%' IDENTIFIED BY 'dbz';
GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES ON *.* TO 'debezium'@'%';
SQL
  kill "$pid"; wait "$pid" || true
  rm -rf "$building/data.tmp" "$building/data/auto.cnf" "$building/data"/binlog.* "$building/pid"
  mv "$building" "$TEMPLATE"; touch "$TEMPLATE/.ready"; exec 9>&-
}

# The folder of a server's temporary tables, beside its data folder: temporary_folder DATADIR. A server that starts removes
# every temporary table in it; MariaDB crashes when another server does that to the tables of its running statements.
temporary_folder() { mkdir -p "$1.tmp"; echo "$1.tmp"; }

# Fills ARGUMENTS with the command line of the server: arguments DATADIR SOCKET PIDFILE
arguments() {
  ARGUMENTS=("$LIBDIR/ld-linux-x86-64.so.2" --library-path "$LIBDIR" "$ROOT/usr/sbin/$DAEMON" --no-defaults --user="$(id -un)"
    --datadir="$1" --tmpdir="$(temporary_folder "$1")" --socket="$2" --pid-file="$3" --secure-file-priv=
    --plugin-dir="$ROOT/usr/lib/mysql/plugin/"
    "${SERVER_ARGUMENTS[@]}")
}

options() {
  PORT=$DEFAULT_PORT DATADIR="" GTID=on SERVER_ID=1 EXTRA="" BIND=127.0.0.1
  SYNC=(--innodb-flush-log-at-trx-commit=1 --sync-binlog=1) # each commit; MariaDB's default for the binlog is another
  while [ $# -gt 0 ]; do
    case "$1" in
      --port) PORT="$2"; shift ;;
      --datadir) DATADIR="$2"; shift ;;
      --gtid) GTID="$2"; shift ;;
      --server-id) SERVER_ID="$2"; shift ;;
      --bind) BIND="$2"; shift ;;
      --extra) EXTRA="$2"; shift ;;
      --fast) SYNC=(--innodb-flush-log-at-trx-commit=2 --sync-binlog=0 --innodb-doublewrite=OFF) ;;
      *) die "unknown option $1" ;;
    esac
    shift
  done
  DATADIR="$(realpath -m "${DATADIR:-$CACHE/data/$PRODUCT-$PORT}")"
  PIDFILE="$DATADIR/server.pid"
  SOCKET="$DATADIR/server.sock"
  [ ${#SOCKET} -le 100 ] || SOCKET="${TMPDIR:-/tmp}/$PRODUCT-$PORT.sock"
}

alive() { [ -s "$PIDFILE" ] && kill -0 "$(cat "$PIDFILE")" 2>/dev/null; }

prepare() { # installs, fills the data folder, makes the command line
  install_packages
  server_arguments
  if [ ! -d "$DATADIR/mysql" ]; then
    make_template
    mkdir -p "$DATADIR"; cp -a "$TEMPLATE/data/." "$DATADIR/"
  fi
  arguments "$DATADIR" "$SOCKET" "$PIDFILE"
  # shellcheck disable=SC2207,SC2206
  ARGUMENTS+=(--port="$PORT" --bind-address="$BIND" --server-id="$SERVER_ID" $(gtid_options "$GTID") --log-bin=binlog
    --binlog-format=ROW --binlog-row-image=FULL --binlog-row-metadata=FULL "${SYNC[@]}" $EXTRA)
}

start_server() { # in the background, until it answers
  options "$@"
  ! alive || { echo "already running: pid $(cat "$PIDFILE") port $PORT"; return 0; }
  prepare
  local pid i
  setsid "${ARGUMENTS[@]}" </dev/null >>"$DATADIR/server.log" 2>&1 & pid=$!
  for i in $(seq 600); do
    kill -0 "$pid" 2>/dev/null || { tail -n5 "$DATADIR/server.log" >&2; die "$DAEMON ended at its start"; }
    if [ -S "$SOCKET" ] && alive; then echo "running: pid $(cat "$PIDFILE") port $PORT datadir $DATADIR"; return 0; fi
    sleep 0.1
  done
  die "$DAEMON did not answer within 60 s; its log is $DATADIR/server.log"
}

stop_server() {
  options "$@"
  alive || { echo "not running"; return 0; }
  local pid i; pid="$(cat "$PIDFILE")"; kill "$pid"
  for i in $(seq 600); do kill -0 "$pid" 2>/dev/null || { echo "stopped"; return 0; }; sleep 0.1; done
  kill -9 "$pid"; echo "killed"
}

main() {
  local verb="${1:-}" port="$DEFAULT_PORT" name
  [ $# -eq 0 ] || shift
  case "$verb" in
    install) install_packages; server_arguments; make_template ;;
    start) start_server "$@" ;;
    foreground) options "$@"; prepare; exec "${ARGUMENTS[@]}" </dev/null ;;
    stop) stop_server "$@" ;;
    status) options "$@"; if alive; then echo "running: pid $(cat "$PIDFILE")"; else echo "not running"; exit 1; fi ;;
    client)
      if [ "${1:-}" = --port ]; then port="$2"; shift 2; fi
      install_packages; server_arguments
      run "bin/$(client_program)" --no-defaults --character-sets-dir="$CHARSETS" -h127.0.0.1 -P"$port" -uroot \
        --default-character-set=utf8mb4 "$@" ;;
    tool) name="$1"; shift; install_packages; run "bin/$name" --no-defaults "$@" ;;
    version) install_packages; cat "$BASE/version" ;;
    *) awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; exit 2 ;;
  esac
}
