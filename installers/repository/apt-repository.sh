#!/bin/sh
# Makes a repository for apt of the packages in FOLDER/pool, or renews it after one came:
#   apt-repository.sh FOLDER KEY
# KEY is in the key ring of whoever calls. What servers need of it is FOLDER itself, over http(s), and FOLDER/harbinger.asc.
# Needs apt-ftparchive (apt-get install apt-utils) and gpg.
set -eu
[ $# = 2 ] || { echo "usage: $0 FOLDER KEY" >&2; exit 2; }
cd "$1"
key=$2
suite=dists/stable
for arch in amd64 arm64; do
  mkdir -p "$suite/main/binary-$arch"
  apt-ftparchive --arch "$arch" packages pool >"$suite/main/binary-$arch/Packages"
  gzip -9nkf "$suite/main/binary-$arch/Packages"
done
rm -f "$suite/Release" "$suite/InRelease"
release=$(apt-ftparchive -o APT::FTPArchive::Release::Origin=Harbinger -o APT::FTPArchive::Release::Suite=stable \
  -o APT::FTPArchive::Release::Codename=stable -o APT::FTPArchive::Release::Components=main \
  -o APT::FTPArchive::Release::Architectures='amd64 arm64' release "$suite")
printf '%s\n' "$release" >"$suite/Release"
gpg --batch --yes --local-user "$key" --clearsign --output "$suite/InRelease" "$suite/Release"
gpg --batch --yes --armor --output harbinger.asc --export "$key"
