#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes a static libpci for an initramfs: Debian ships only the shared one. The
# source is Debian's, signed, through an apt whose lists and cache are private;
# /etc/apt is not changed.
set -euo pipefail

usage="Usage: libpci-static.sh FILE    make FILE (libpci.a); LIBPCI_SRC=/path takes a pciutils tree of yours"
case ${1:-} in
--help|-h)	echo "$usage"; exit 0 ;;
''|-*)		echo "$usage" >&2; exit 2 ;;
esac
(($# == 1)) || { echo "$usage" >&2; exit 2; }

die() {
	echo "libpci-static.sh: $*" >&2
	exit 1
}

file=$(realpath -m "$1")
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# The release that the shared library is of, so that the headers fit.
fetch() {
	local version suite
	local opts=(-o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$tmp/parts"
		-o "Dir::State::lists=$tmp/lists" -o "Dir::Cache=$tmp/cache"
		-o "APT::Sandbox::User=root")

	command -v apt-get >/dev/null || die "no apt-get here: set LIBPCI_SRC=/path to a pciutils tree"
	[[ -r $keyring ]] || die "$keyring is missing: run 'apt-get install debian-archive-keyring'"
	version=$(dpkg-query -W -f '${source:Version}' libpci-dev 2>/dev/null) ||
		die "libpci-dev is missing: run 'apt-get install libpci-dev'"
	suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	[[ -n $suite ]] || die "/etc/os-release names no Debian release: set LIBPCI_SRC=/path to a pciutils tree"
	mkdir -p "$tmp"/{parts,lists/partial,cache/archives/partial}
	printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
		"${DEBIAN_ARCHIVE:-http://deb.debian.org/debian}" "$suite" "$keyring" >"$tmp/parts/src.sources"
	echo "libpci-static.sh: fetching the source of libpci $version"
	apt-get -qq "${opts[@]}" update || die "apt-get update failed: is the network there?"
	# apt checks it against the signed release; Debian's patches do not touch what we use
	(cd "$tmp" && apt-get -qq "${opts[@]}" --download-only source "pciutils=$version") ||
		die "no source of pciutils $version: set LIBPCI_SRC=/path to a pciutils tree"
	mkdir "$tmp/src"
	tar -xf "$tmp"/pciutils_*.orig.tar.*[!c] -C "$tmp/src" --strip-components=1
}

if [[ -n ${LIBPCI_SRC:-} ]]; then
	[[ -r $LIBPCI_SRC/lib/pci.h ]] || die "$LIBPCI_SRC is no pciutils tree: lib/pci.h is not there"
	cp -a "$LIBPCI_SRC" "$tmp/src"
	make -s -C "$tmp/src" clean
else
	fetch
fi
# no hwdb, no DNS and no libkmod: these have no static libraries, or are not in an initramfs
make -s -C "$tmp/src" lib/libpci.a SHARED=no IDSDIR=/usr/share/misc ZLIB=yes HWDB=no DNS=no LIBKMOD=no >"$tmp/log" 2>&1 ||
	{ cat "$tmp/log" >&2; die "pciutils does not build: see above"; }
mkdir -p "$(dirname "$file")"
cp "$tmp/src/lib/libpci.a" "$file.new"
mv "$file.new" "$file"
echo "libpci-static.sh: $file"
