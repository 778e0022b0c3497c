#!/usr/bin/env bash
# Stand-ins for the images that the Dockerfiles and compose files begin with, for an engine that reaches a Debian mirror but no
# registry. They have the official names, so nothing is pulled.
#
#   base-images.sh [debian] [rust] [mysql] [pulsar]       (none named: the first three; what the engine has is left as it is)
#
#   debian:bookworm-slim         debootstrap, minimal
#   rust:1.95-bookworm           the same, gcc, and this machine's Rust toolchain as the official image has it: the minimal profile
#   mysql:8.0.28, mysql:9        the newest MySQL in Debian (not 8.0.28) with mysql-entrypoint.sh
#   apachepulsar/pulsar:4.0.8    the distribution in PULSAR_HOME (tools/pulsar-standalone.sh has one), a JRE, Python
#
# Env: WORK, a folder for the unpacked systems (needs 3 GB; by default below the cache). Needs root and debootstrap.
# What stand-ins cannot show: sizes and contents of the official images, and other processors.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${WORK:-${XDG_CACHE_HOME:-$HOME/.cache}/bitacora/containers/base}
mkdir -p "$work"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v -e security -e '^https*://[^/]*google' -e nodesource | head -n1)
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

system() { # system NAME SUITE [PACKAGE...]: a minimal Debian in $work/NAME
  local folder=$work/$1 suite=$2 include; shift 2; include=$(IFS=,; echo "$*")
  [ ! -e "$folder/.made" ] || return 0
  rm -rf "$folder"
  debootstrap --variant=minbase ${include:+--include="$include"} "$suite" "$folder" "$mirror" >"$folder.log" 2>&1 ||
    { tail -n5 "$folder.log" >&2; return 1; }
  rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/* "$folder"/usr/share/{doc,man,locale}/*
  # A build asks the crates' registry through this machine's proxy, if it has one.
  mkdir -p "$folder/etc/ssl/certs"; cp -L /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/"
  touch "$folder/.made"
}

import() { # import FOLDER IMAGE [CHANGE...]
  local folder=$1 image=$2 changes=() change; shift 2
  for change in "ENV PATH=$path" "$@"; do changes+=(--change "$change"); done
  tar -C "$folder" --exclude=./.made --exclude='./proc/*' --exclude='./sys/*' --exclude='./dev/*' --numeric-owner -c . |
    docker import "${changes[@]}" - "$image" >/dev/null
  rm -rf "$folder"
}

make_debian() {
  system debian bookworm
  import "$work/debian" debian:bookworm-slim 'CMD ["bash"]'
}

make_rust() {
  system rust bookworm ca-certificates gcc libc6-dev
  local folder=$work/rust toolchain name part to
  toolchain=$(cd "$here" && dirname "$(dirname "$(rustup which rustc)")") name=$(basename "$toolchain") to=$folder/usr/local/rustup/toolchains/$name
  rm -rf "$folder/usr/local/rustup"; mkdir -p "$to" "$folder/usr/local/cargo/bin"
  tar -C "$toolchain" --exclude=./share/doc --exclude=./lib/rustlib/src --exclude='./lib/rustlib/wasm*' -c . | tar -C "$to" -x
  for part in rust-docs clippy-preview rustfmt-preview; do
    rm -f "$to/lib/rustlib/manifest-$part"-*; sed -i "/^$part-/d" "$to/lib/rustlib/components"
    awk -v part="$part" 'BEGIN { RS = ""; ORS = "\n\n" } !index($0, "pkg = \"" part "\"")' "$to/lib/rustlib/multirust-config.toml" >"$work/parts"
    mv "$work/parts" "$to/lib/rustlib/multirust-config.toml"
  done
  rm -f "$to"/bin/{cargo-clippy,cargo-fmt,clippy-driver,rustfmt}
  cp -L "$(command -v rustup)" "$folder/usr/local/cargo/bin/rustup"
  for part in rustc cargo rustdoc; do ln -sf rustup "$folder/usr/local/cargo/bin/$part"; done
  printf 'version = "12"\nprofile = "minimal"\ndefault_toolchain = "%s"\n\n[overrides]\n' "$name" >"$folder/usr/local/rustup/settings.toml"
  import "$folder" rust:1.95-bookworm 'ENV RUSTUP_HOME=/usr/local/rustup' 'ENV CARGO_HOME=/usr/local/cargo' \
    "ENV PATH=/usr/local/cargo/bin:$path" 'CMD ["bash"]'
}

make_mysql() {
  system mysql sid mysql-server-core mysql-client-core
  local folder=$work/mysql
  chroot "$folder" getent passwd mysql >/dev/null ||
    { chroot "$folder" groupadd -r -g 999 mysql; chroot "$folder" useradd -r -u 999 -g mysql -d /var/lib/mysql -s /bin/false mysql; }
  rm -rf "$folder"/var/lib/mysql* "$folder/etc/mysql"
  mkdir -p "$folder"/{var/lib/mysql,var/lib/mysql-files,run/mysqld,docker-entrypoint-initdb.d,etc/mysql/conf.d}
  chroot "$folder" chown mysql:mysql /var/lib/mysql /var/lib/mysql-files /run/mysqld
  chmod 1777 "$folder/var/lib/mysql" "$folder/run/mysqld"
  install -m 755 "$here/mysql-entrypoint.sh" "$folder/usr/local/bin/docker-entrypoint.sh"
  import "$folder" mysql:9 'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["mysqld"]' 'VOLUME /var/lib/mysql' 'EXPOSE 3306 33060'
  # What a server of that version does where it is told nothing.
  printf 'FROM mysql:9\nRUN printf "[mysqld]\\ngtid_mode=OFF\\nenforce_gtid_consistency=OFF\\n" >/etc/my.cnf\n' | docker build -q -t mysql:8.0.28 - >/dev/null
}

make_pulsar() {
  : "${PULSAR_HOME:?folder of a server distribution of Pulsar}"
  system pulsar bookworm ca-certificates openjdk-17-jre-headless python3-minimal
  local folder=$work/pulsar
  rm -rf "$folder/pulsar"; mkdir -p "$folder/pulsar"
  tar -C "$PULSAR_HOME" --exclude=./data --exclude=./logs -c . | tar -C "$folder/pulsar" -x
  install -m 755 "$here/apply-config-from-env.py" "$folder/pulsar/bin/"
  mkdir -p "$folder"/pulsar/{data,logs}; chown -R 10000:0 "$folder/pulsar"; chmod -R g+rwX "$folder/pulsar"
  import "$folder" apachepulsar/pulsar:4.0.8 'USER 10000' 'WORKDIR /pulsar' 'ENV PULSAR_ROOT_LOGGER=INFO,CONSOLE' 'EXPOSE 6650 8080'
}

[ "$(id -u)" = 0 ] || { echo "base-images.sh: run it as root" >&2; exit 1; }
[ $# -gt 0 ] || set -- debian rust mysql
for image in "$@"; do
  case $image in
    debian) docker image inspect debian:bookworm-slim >/dev/null 2>&1 || make_debian ;;
    rust) docker image inspect rust:1.95-bookworm >/dev/null 2>&1 || make_rust ;;
    mysql) docker image inspect mysql:9 mysql:8.0.28 >/dev/null 2>&1 || make_mysql ;;
    pulsar) docker image inspect apachepulsar/pulsar:4.0.8 >/dev/null 2>&1 || make_pulsar ;;
    *) echo "base-images.sh: $image is none of debian, rust, mysql, pulsar" >&2; exit 2 ;;
  esac
done
