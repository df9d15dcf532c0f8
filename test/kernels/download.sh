#!/usr/bin/env bash
# Downloads the kernel of a release of Debian, and nothing is installed by it; the package lists of this machine stay as they are.
#   bash test/kernels/download.sh SUITE DIRECTORY    makes DIRECTORY/vmlinuz; its last line says what went wrong
# The archive is the one that this machine uses, or $SNOOPREC_DEBIAN_MIRROR.
set -euo pipefail
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
suite=$1 directory=$2

fail() {
  echo "$*"
  exit 1
}

mirror=${SNOOPREC_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | sed q)}
[ -n "$mirror" ] || fail "apt knows no archive of Debian: set SNOOPREC_DEBIAN_MIRROR to one"
[ -e $keyring ] || fail "the package debian-archive-keyring is missing"
mkdir -p "$directory"/{lists,archives}/partial
cd "$directory"
echo "deb [signed-by=$keyring] $mirror $suite main" >sources.list
options=(-q -o "Dir::Etc::sourcelist=$directory/sources.list" -o Dir::Etc::sourceparts=- -o Acquire::Languages=none
  -o "Dir::State::lists=$directory/lists" -o "Dir::Cache::archives=$directory/archives"
  -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o "APT::Sandbox::User=$(id -un)")
apt-get "${options[@]}" -o APT::Update::Error-Mode=any update || fail "the archive of Debian has no $suite, or cannot be reached"

# linux-image-amd64 needs linux-image-VERSION, and that one, since Linux 7, linux-binary-VERSION, where the kernel is.
needed=$(apt-cache "${options[@]}" depends --recurse --no-{recommends,suggests,conflicts,breaks,replaces,enhances} linux-image-amd64)
package=$(grep -m 1 -E '^linux-binary-[0-9]' <<<"$needed" || grep -m 1 -E '^linux-image-[0-9]' <<<"$needed")
rm -f ./*.deb
apt-get "${options[@]}" download "$package" || fail "$package cannot be downloaded"
dpkg-deb --fsys-tarfile ./*.deb | tar -xO --wildcards '*/vmlinuz*' >new || fail "$package holds no kernel"
mv new vmlinuz
rm -r ./*.deb lists archives
