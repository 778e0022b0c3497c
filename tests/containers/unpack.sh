#!/usr/bin/env bash
# Unpacks packages of another Debian release, without those that they need:   unpack.sh RELEASE FOLDER PACKAGE...
set -euo pipefail
release=$1 folder=$2; shift 2
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v -e security -e nodesource -e google | head -n1)
rm -rf "$folder"; mkdir -p "$folder/apt"/{lists/partial,archives/partial}
: >"$folder/apt/status"
printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
  "$mirror" "$release" >"$folder/apt/mirror.sources"
cat >"$folder/apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$folder/apt/mirror.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$folder/apt/lists";
Dir::State::status "$folder/apt/status";
Dir::Cache "$folder/apt";
APT::Sandbox::User "root";
Acquire::Languages "none";
CONF
export APT_CONFIG=$folder/apt/apt.conf
apt-get -qq update
cd "$folder"
apt-get -qq download "$@"
for package in *.deb; do dpkg-deb -x "$package" .; done
rm -rf ./*.deb apt
