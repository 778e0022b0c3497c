#!/usr/bin/env bash
# A real Apache Pulsar standalone (broker, bookie and metadata in one JVM), from the server distribution in Maven Central.
# Needs a JDK of 17 or newer and Maven; as root on Debian both are installed when missing.
#
#   pulsar-standalone.sh install
#   pulsar-standalone.sh start [--data DIR] [--port 6650] [--http 8080] [--bookie-port 3181] [--overlay FILE] [--heap 1g]
#   pulsar-standalone.sh foreground (same options)     becomes the broker's process
#   pulsar-standalone.sh stop | status [--data DIR]
#   pulsar-standalone.sh run TOOL ARGUMENTS...         a tool of the distribution: run pulsar-perf produce ...
#
# PULSAR_VERSION (4.0.8) and JAVA_HOME may be set.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=${PULSAR_VERSION:-4.0.8}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bitacora/pulsar
home=$cache/apache-pulsar-$version

die() { echo "pulsar-standalone.sh: $*" >&2; exit 1; }

install_distribution() {
  [[ ! -f $home/.complete ]] || return 0
  mkdir -p "$cache"
  (
    flock 9
    [[ ! -f $home/.complete ]] || exit 0
    "$here/maven-env.sh" >/dev/null
    echo "pulsar: downloading the server distribution $version, 245 MB (once)" >&2
    mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
      -Dartifact="org.apache.pulsar:pulsar-server-distribution:$version:tar.gz:bin" -DoutputDirectory="$cache" >&2
    rm -rf "$home"
    tar -xzf "$cache/pulsar-server-distribution-$version-bin.tar.gz" -C "$cache"
    rm -f "$cache/pulsar-server-distribution-$version-bin.tar.gz"
    touch "$home/.complete"
  ) 9>"$cache/.lock"
}

# Joins properties files: the last value of a key wins, and each key stands once (the bookie reads doubles as lists).
merge() {
  awk 1 "$@" | awk '/^[ \t]*(#|$)/ { next } { key = $0; sub(/[ \t]*=.*/, "", key); if (!(key in line)) order[++n] = key; line[key] = $0 }
                    END { for (i = 1; i <= n; i++) print line[order[i]] }'
}

alive() { [[ -f $data/pid ]] && kill -0 "$(cat "$data/pid")" 2>/dev/null; }
healthy() { [[ $(curl -fsS --noproxy '*' -m 5 "http://127.0.0.1:$http/admin/v2/brokers/health" 2>/dev/null) == *ok* ]]; }

verb=${1:-}; shift || true
if [[ $verb == run ]]; then
  install_distribution; JAVA_HOME=$("$here/maven-env.sh"); export JAVA_HOME
  tool=$1; shift; exec "$home/bin/$tool" "$@"
fi
data=$cache/data port=6650 http=8080 bookie=3181 overlay="" heap=1g
while (($#)); do
  case $1 in
    --data) data=$2 ;;
    --port) port=$2 ;;
    --http) http=$2 ;;
    --bookie-port) bookie=$2 ;;
    --overlay) overlay=$(realpath "$2") ;;
    --heap) heap=$2 ;;
    *) die "unknown option $1" ;;
  esac
  shift 2
done
data=$(realpath -m "$data")

prepare() {
  install_distribution; JAVA_HOME=$("$here/maven-env.sh"); export JAVA_HOME
  ! alive || die "already running with $data (pid $(cat "$data/pid"))"
  mkdir -p "$data/logs"
  merge "$here/pulsar-standalone.properties" <(printf '%s\n' "brokerServicePort=$port" "webServicePort=$http" \
    "bindAddress=127.0.0.1" "advertisedAddress=localhost") ${overlay:+"$overlay"} >"$data/standalone.conf"
  export PULSAR_STANDALONE_CONF=$data/standalone.conf PULSAR_LOG_DIR=$data/logs PULSAR_GC_LOG=-Xlog:disable
  export PULSAR_MEM="-Xms$heap -Xmx$heap -XX:MaxDirectMemorySize=$heap" PULSAR_GC="-XX:+UseG1GC -XX:+PerfDisableSharedMem"
  command=("$home/bin/pulsar" standalone --no-functions-worker --no-stream-storage --metadata-dir "$data/metadata"
    --bookkeeper-dir "$data/bookkeeper" --bookkeeper-port "$bookie" -a localhost)
  cd "$data"
}

case $verb in
  install) install_distribution ;;
  foreground) prepare; echo $$ >"$data/pid"; exec "${command[@]}" </dev/null ;;
  start)
    prepare
    setsid nohup "${command[@]}" >"$data/logs/console.log" 2>&1 </dev/null & echo $! >"$data/pid"
    for _ in $(seq 1200); do
      if healthy; then echo "running: pulsar://127.0.0.1:$port http://127.0.0.1:$http pid $(cat "$data/pid")"; exit 0; fi
      alive || { tail -30 "$data/logs/console.log" >&2; die "the broker ended at its start"; }
      sleep 0.1
    done
    die "not healthy after two minutes; see $data/logs" ;;
  stop)
    alive || { echo "not running"; exit 0; }
    pid=$(cat "$data/pid"); kill "$pid"
    for _ in $(seq 150); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
    if kill -0 "$pid" 2>/dev/null; then kill -9 "$pid"; fi
    rm -f "$data/pid"; echo "stopped" ;;
  status)
    if alive && healthy; then echo "healthy, pid $(cat "$data/pid")"; else echo "not running"; exit 1; fi ;;
  *) awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; exit 2 ;;
esac
