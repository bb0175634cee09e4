#!/bin/sh
# Makes a repository for yum and dnf of the packages in FOLDER/x86_64 and FOLDER/aarch64, or renews it after one came:
#   yum-repository.sh FOLDER KEY
# The packages were signed with KEY when they were built (npm run package -- --sign KEY); here their list is.
# Needs createrepo_c (apt-get install createrepo-c, dnf install createrepo_c) and gpg.
set -eu
[ $# = 2 ] || { echo "usage: $0 FOLDER KEY" >&2; exit 2; }
cd "$1"
key=$2
for arch in x86_64 aarch64; do
  [ -d "$arch" ] || continue
  createrepo_c --quiet "$arch"
  gpg --batch --yes --local-user "$key" --armor --detach-sign "$arch/repodata/repomd.xml"
done
gpg --batch --yes --armor --output harbinger.asc --export "$key"
