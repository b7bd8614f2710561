#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes the kernels that the tests boot. Everything lands in one cache folder outside the checkout:
#
#   deb/                       Debian's source packages, as downloaded
#   sysroot-arm64-*/           Debian's arm64 packages, unpacked
#   SOURCE/pristine/           the tree as it came, never written again
#   SOURCE/patched/            hard links to pristine/, except for the files that the patches or the
#                              overlay change: those are always replaced by a new file, never written
#   SOURCE/build-CONFIG/       make's O= folder, and build-CONFIG.log beside it
#   SOURCE/image/CONFIG-KEY/   finished images; KEY covers all that goes into one, so a key that is
#                              there needs no make at all and two checkouts do not disturb each other
#
# One run at a time may write there (flock). Only this script does.
set -euo pipefail
shopt -s nullglob
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/iommu-freeze
package=linux-source-7.3
config_package=linux-config-7.3
suite=trixie-backports
want_version=7
want_patchlevel=3
keep_images=8
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
archive=${DEBIAN_MIRROR:-}

# make hands these down when it is the one that calls; they would end up in the kernel's make
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES KBUILD_OUTPUT KCONFIG_CONFIG CDPATH
# use_arch sets them for each name
export ARCH=x86_64 CROSS_COMPILE=

# stdout carries paths and nothing else
exec 3>&1 1>&2

usage() {
	cat >&3 <<END
Usage: tests/kernel/setup.sh NAME...
       tests/kernel/setup.sh --install | --check | --help

Makes what is named and prints one path per NAME; progress goes to stderr.

  vtd        patched kernel, CONFIG_IOMMU_FREEZE=y              (bzImage)
  vtd-debug  the same with KASAN, lockdep, kmemleak, poisoning  (bzImage)
  vtd-cov    the same with gcov's counters; gcno/ beside it     (bzImage)
  vtd-modules  the same, VFIO and iommufd in modules/ beside it (bzImage)
  vtd-off    patched kernel, CONFIG_IOMMU_FREEZE=n              (bzImage)
  stock      the unpatched tree                                 (bzImage)
  debian     what we add or touch, compiled as Debian's amd64   (folder)
             kernel is configured; a warning is an error
  smmuv3, smmuv3-debug, smmuv3-off, smmuv3-stock
             as vtd, vtd-debug, vtd-off and stock, for arm64    (Image)
  source     the unpatched tree itself                          (folder)
  patched    the tree with patches and overlay                  (folder)
  headers    its user-space headers, after make headers_install (folder)
  headers-arm64  the same for arm64                             (folder)
  sysroot-arm64  Debian's arm64 libraries that the tool needs,  (folder)
             to be given to ${cross}gcc --sysroot

  --install  install the packages that a build and the tests need (root, Debian)
  --check    say what is missing; exit 1 if anything is

Environment:
  KSRC=/path         use this clean $want_version.$want_patchlevel tree (it is copied) instead of Debian's $package
  XDG_CACHE_HOME     the cache is \$XDG_CACHE_HOME/iommu-freeze [$cache]
  DEBIAN_MIRROR      where Debian is, with its backports [${archive:-the mirror that apt uses for this release}]
  JOBS               make -j [number of processors]

Exit: 0 all made, 1 something failed, 2 wrong usage.
END
}

say() { printf 'setup: %s\n' "$*" >&2; }
die() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

# ---- tools -------------------------------------------------------------------------------------

# command:package, for building; a header is asked for as <name.h>, with the compiler before it if it is not gcc
build_needs=(gcc:gcc make:make ld:binutils flex:flex bison:bison bc:bc perl:perl xz:xz-utils git:git
	rsync:rsync flock:util-linux tar:tar '<gelf.h>:libelf-dev' '<stdlib.h>:libc6-dev')
test_needs=(clang:clang cpio:cpio jq:jq '<cmocka.h>:libcmocka-dev' '<jansson.h>:libjansson-dev'
	'<openssl/evp.h>:libssl-dev' '<pci/pci.h>:libpci-dev' mandoc:mandoc valgrind:valgrind zsh:zsh
	runuser:util-linux '<archive.h>:libarchive-dev' lz4:lz4 zstd:zstd shellcheck:shellcheck
	script:bsdutils systemd-analyze:systemd)

# On an arm64 machine these are links to its own.
cross=aarch64-linux-gnu-
arm64_needs=("${cross}gcc:gcc-aarch64-linux-gnu" "${cross}ld:binutils-aarch64-linux-gnu"
	"${cross}gcc<stdlib.h>:libc6-dev-arm64-cross")

# missing NEED... -> packages
missing() {
	local need tool compiler
	for need; do
		tool=${need%:*}
		case $tool in
		*'<'*)	compiler=${tool%%<*}
			printf '#include <stddef.h>\n#include <stdarg.h>\n#include <stdint.h>\n#include <setjmp.h>\n#include %s\n' \
				"<${tool#*<}" | "${compiler:-gcc}" -E -x c -o /dev/null - 2>/dev/null || echo "${need##*:}" ;;
		*)	command -v "$tool" >/dev/null || echo "${need##*:}" ;;
		esac
	done
}

# compiler-rt is what clang's -fsanitize=fuzzer links; its package carries clang's version
clang_rt_missing() {
	local dir
	command -v clang >/dev/null || { echo libclang-rt-dev; return; }
	dir=$(clang -print-resource-dir)
	compgen -G "$dir/lib/*/libclang_rt.fuzzer*.a" >/dev/null ||
		echo "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
}

# the system's python, whatever else is in the PATH
jsonschema_missing() {
	/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || echo python3-jsonschema
}

# command:package; 7, which Debian 12 has, has no igb NIC
qemus=(qemu-system-x86_64:qemu-system-x86 qemu-system-aarch64:qemu-system-arm)

# qemus_missing -> the packages that are not there, or too old
qemus_missing() {
	local need v
	for need in "${qemus[@]}"; do
		v=
		! command -v "${need%:*}" >/dev/null ||
			v=$("${need%:*}" --version | sed -n 's/^QEMU emulator version \([0-9]*\)\..*/\1/p')
		((${v:-0} >= 8)) || echo "${need#*:}"
	done
}

# need_tools NAME...: what it takes to make these
need_tools() {
	local text name needs=("${build_needs[@]}")
	for name; do
		[[ $(arch "$name") != arm64 ]] || { needs+=("${arm64_needs[@]}"); break; }
	done
	text=$(missing "${needs[@]}")
	text=${text//$'\n'/ }
	[[ -z $text ]] ||
		die "missing packages: $text; run 'apt-get install $text' or 'tests/kernel/setup.sh --install' as root"
}

# find_missing: sets miss to the packages, QEMU's among them when it is too old
find_missing() {
	local text rt
	# not mapfile < <(...): what dies in there would read as "nothing is missing"
	text=$(missing "${build_needs[@]}" "${arm64_needs[@]}" "${test_needs[@]}")
	rt="$(clang_rt_missing) $(jsonschema_missing) $(qemus_missing)"
	# shellcheck disable=SC2086
	mapfile -t miss < <(printf '%s\n' $text $rt | sort -u)
	[[ -n ${miss[0]} ]] || miss=()
}

check() {
	local miss
	find_missing
	((${#miss[@]} == 0)) && { say "nothing is missing"; return 0; }
	say "missing or too old: ${miss[*]}; run 'tests/kernel/setup.sh --install' as root"
	return 1
}

# private_apt DIR: an apt whose lists, cache and sources are in DIR
private_apt() {
	local d=$1
	mkdir -p "$d"/{parts,preferences,lists/partial,cache/archives/partial}
	apt_opts=(-o "Dir::Etc::sourceparts=$d/parts" -o "Dir::State::lists=$d/lists"
		-o "Dir::Etc::preferencesparts=$d/preferences" -o "Dir::Cache=$d/cache"
		-o "APT::Sandbox::User=$(id -un)" -o "Acquire::Languages=none" -o "Acquire::Retries=3"
		-o "Dpkg::Use-Pty=0")
}

# find_archive: sets archive to the mirror from which apt here takes Debian itself
find_archive() {
	# shellcheck disable=SC2016 # apt expands them
	local fields='$(REPO_URI)|$(COMPONENT)|$(ORIGIN)|$(LABEL)|$(RELEASE)|'
	[[ -z $archive ]] || return 0
	# the label tells the main archive from the one with security updates
	archive=$(apt-get indextargets --format "$fields" 'Identifier: Packages' |
		awk -F'|' '$1 !~ /^cdrom:/ && $2 == "main" && $3 == "Debian" && $4 == "Debian" && !n++ { print $1 }') || true
	[[ -z $archive ]] || return 0
	# origin and label are in lists that apt-get update fetches; without them only the suite is known
	archive=$(apt-get indextargets --no-release-info --format "$fields" 'Identifier: Packages' |
		awk -F'|' -v codename="$(codename)" \
			'codename && $1 !~ /^cdrom:/ && $2 == "main" && $5 == codename && !n++ { print $1 }') || true
	[[ -n $archive ]] ||
		die "no mirror of Debian among apt's sources here: set DEBIAN_MIRROR=URL, or run 'apt-get update' first if there is one"
}

# debian_source SUITE: a deb822 stanza; after find_archive
debian_source() {
	[[ -r $keyring ]] || die "$keyring is missing: run 'apt-get install debian-archive-keyring'"
	printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$archive" "$1" "$keyring"
}

# apt_of DIR SUITE [OPTION...]: a private apt with up-to-date lists, which knows nothing but SUITE; after
# find_archive
apt_of() {
	private_apt "$1"
	debian_source "$2" >"$1/parts/$2.sources"
	apt_opts+=(-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::preferences=/dev/null "${@:3}")
	apt-get -q "${apt_opts[@]}" update >/dev/null
}

# codename -> this release of Debian, or nothing
codename() (
	# shellcheck disable=SC1091
	. /etc/os-release
	echo "${VERSION_CODENAME:-}"
)

# system_apt ARG...: the system's own; its lock may be held, by unattended upgrades for one
system_apt() {
	apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@"
}

# The lists have a lock that apt does not wait for.
update_lists() {
	local i
	for i in 1 2 3; do
		((i == 1)) || sleep 20
		if system_apt "$@" update >/dev/null; then return 0; fi
	done
	return 1
}

install_packages() {
	local miss rest qemu p tmp
	find_missing
	((${#miss[@]})) || { say "nothing to install"; return 0; }
	((EUID == 0)) || die "missing or too old: ${miss[*]}; run 'sudo tests/kernel/setup.sh --install'"
	command -v apt-get >/dev/null ||
		die "missing or too old: ${miss[*]} (Debian's names); this system has no apt-get: install them by hand"
	export DEBIAN_FRONTEND=noninteractive
	rest=()
	qemu=()
	for p in "${miss[@]}"; do
		if [[ $(codename) == bookworm && " ${qemus[*]#*:} " == *" $p "* ]]; then qemu+=("$p"); else rest+=("$p"); fi
	done
	if ((${#rest[@]})); then
		say "installing ${rest[*]}"
		update_lists || die "apt-get update failed: check the system's apt sources"
		system_apt -y --no-install-recommends install "${rest[@]}" </dev/null ||
			die "apt-get install ${rest[*]} failed: see above"
	fi
	if ((${#qemu[@]})); then
		say "${qemu[*]} missing or too old, and Debian 12 has only 7, without the NIC igb:" \
			"taking a newer one from bookworm-backports, /etc/apt stays as it is"
		tmp=$(mktemp -d)
		# shellcheck disable=SC2064
		trap "rm -rf '$tmp'" EXIT
		private_apt "$tmp"
		for p in /etc/apt/sources.list.d/*.{sources,list}; do cp "$p" "$tmp/parts/"; done
		for p in /etc/apt/preferences.d/*; do cp "$p" "$tmp/preferences/"; done
		find_archive
		debian_source bookworm-backports >"$tmp/parts/iommu-freeze-backports.sources"
		update_lists "${apt_opts[@]}" || die "apt-get update failed for bookworm-backports at $archive: set DEBIAN_MIRROR=URL of a mirror that has it"
		system_apt -y "${apt_opts[@]}" -t bookworm-backports --no-install-recommends install \
			"${qemu[@]}" </dev/null ||
			die "installing ${qemu[*]} from bookworm-backports failed: see above"
		rm -rf "$tmp"
		trap - EXIT
	fi
	find_missing
	((${#miss[@]} == 0)) || die "still missing or too old after apt-get: ${miss[*]}"
	say "everything is installed"
}

# ---- source ------------------------------------------------------------------------------------

locked=
# lock [TEST...]: waits for the lock, or only until TEST holds: then the one who has it has done what
# this one wanted
lock() {
	[[ -z $locked ]] || return 0
	mkdir -p "$cache"
	exec 9>"$cache/lock"
	flock -n 9 || say "another set-up is at work; waiting for it"
	until flock -w 1 9; do
		if (($#)) && "$@"; then
			exec 9>&-
			return 0
		fi
	done
	locked=1
}

# cached_deb PACKAGE -> the newest of those that were fetched
cached_deb() {
	local debs=("$cache/deb/$1"_*.deb)
	((${#debs[@]} == 0)) || printf '%s\n' "${debs[@]}" | sort -V | tail -n 1
}

# have_deb PACKAGE
have_deb() { [[ -n $(cached_deb "$1") ]]; }

# fetch_deb PACKAGE
fetch_deb() {
	local got
	command -v apt-get >/dev/null ||
		die "no apt-get here to fetch Debian's $1 with: set KSRC=/path to a clean $want_version.$want_patchlevel tree"
	find_archive
	say "fetching $1 from $suite at $archive"
	apt_of "$cache/apt" "$suite" ||
		die "cannot read $suite at $archive: check the network, or set DEBIAN_MIRROR=URL of a mirror that has it, or KSRC=/path to a clean $want_version.$want_patchlevel tree"
	rm -rf "$cache/deb.new"
	mkdir -p "$cache/deb.new" "$cache/deb"
	(cd "$cache/deb.new" && apt-get -q "${apt_opts[@]}" download "$1" >/dev/null) ||
		die "$suite at $archive did not give $1: set KSRC=/path to a clean $want_version.$want_patchlevel tree"
	got=("$cache/deb.new/$1"_*.deb)
	mv "${got[0]}" "$cache/deb/"
	rm -rf "$cache/deb.new"
}

# need_deb PACKAGE -> its file, fetched if it has to be
need_deb() {
	local deb
	deb=$(cached_deb "$1")
	if [[ -z $deb ]]; then
		lock have_deb "$1"
		deb=$(cached_deb "$1")
		[[ -n $deb ]] || { fetch_deb "$1"; deb=$(cached_deb "$1"); }
	fi
	echo "$deb"
}

# ksrc_print: one line that changes when anything in KSRC does
ksrc_print() {
	find "$KSRC" -path "$KSRC/.git" -prune -o \( -type f -o -type l \) -printf '%P %s %T@\n' |
		sort | sha256sum | cut -c1-16
}

check_version() {
	local v p
	v=$(sed -n 's/^VERSION = //p' "$1/Makefile" 2>/dev/null || true)
	p=$(sed -n 's/^PATCHLEVEL = //p' "$1/Makefile" 2>/dev/null || true)
	[[ -n $v ]] || die "$2 is not a kernel tree: give one of Linux $want_version.$want_patchlevel"
	[[ $v == "$want_version" && $p == "$want_patchlevel" ]] ||
		die "$2 is Linux $v.$p and the patches are for $want_version.$want_patchlevel: check out v$want_version.$want_patchlevel there, or unset KSRC"
}

# Sets $source_id and $tree. Cheap when the source is there: no lock, no network.
find_source() {
	local deb v
	if [[ -n ${KSRC:-} ]]; then
		KSRC=$(readlink -f "$KSRC")
		check_version "$KSRC" "KSRC=$KSRC"
		[[ ! -e $KSRC/.config && ! -d $KSRC/include/config ]] ||
			die "KSRC=$KSRC was built in: run 'make mrproper' there"
		source_id=ksrc-$(ksrc_print)
	else
		deb=$(need_deb "$package")
		v=${deb##*/"${package}"_}
		v=${v%_all.deb}
		# ':' and '~' mean something to make and the shell
		source_id=${v//[^A-Za-z0-9.-]/_}
	fi
	tree=$cache/$source_id
}

# Fills $tree/pristine. With the lock held.
make_pristine() {
	[[ ! -d $tree/pristine ]] || return 0
	local new=$tree/pristine.new
	rm -rf "$new"
	mkdir -p "$new"
	if [[ -n ${KSRC:-} ]]; then
		say "copying $KSRC"
		tar -C "$KSRC" --exclude=./.git -cf - . | tar -C "$new" -xf -
	else
		say "unpacking $package"
		dpkg-deb --fsys-tarfile "$(cached_deb "$package")" | tar -xO "./usr/src/$package.tar.xz" |
			tar -C "$new" --strip-components=1 -xJf - ||
			die "$(cached_deb "$package") is damaged: delete it and run again"
		check_version "$new" "$(cached_deb "$package")"
	fi
	mv "$new" "$tree/pristine"
	# a tree of somebody who works on it is another one each day, at 5 GB with its builds
	# shellcheck disable=SC2012
	[[ -z ${KSRC:-} ]] || ls -td "$cache"/ksrc-* | tail -n +3 | while read -r new; do rm -rf "$new"; done
}

# ---- patches and overlay -----------------------------------------------------------------------

patches=("$repo"/patches/linux-7.3/*.patch)
overlay_dirs=(iommu iommufd vfio pci)

# overlay -> lines "file in the repository<TAB>file in the kernel tree"
overlay() {
	local f
	cd "$repo"
	for f in Kbuild Kconfig; do
		[[ ! -f $f ]] || printf '%s\tdrivers/iommu/freeze/%s\n' "$f" "$f"
	done
	find "${overlay_dirs[@]}" -type f \( -name '*.[ch]' -o -name Kbuild -o -name Makefile -o -name Kconfig \) \
		-printf '%p\tdrivers/iommu/freeze/%p\n' 2>/dev/null | sort || true
	for f in include/linux/*.h include/linux/kho/abi/*.h include/uapi/linux/*.h; do printf '%s\t%s\n' "$f" "$f"; done
}

overlay_hash() {
	overlay | cut -f2
	(cd "$repo" && overlay | cut -f1 | xargs sha256sum)
	((!${#patches[@]})) || (cd "$repo/patches/linux-7.3" && sha256sum -- *.patch)
}

# touched -> the files that the patches change
touched() {
	((${#patches[@]})) || return 0
	GIT_CEILING_DIRECTORIES=$tree git -C "$tree" apply --numstat "${patches[@]}" | cut -f3 | sort -u
}

# touched_objects -> what Debian's amd64 kernel makes from those; Arm's IOMMUs and the host controllers of
# boards are not in it
touched_objects() { touched | sed -n 's,^drivers/\(iommu/arm\|pci/controller\)/.*,,; s/\.c$/.o/p'; }

# The modules that our code is linked into, before modpost
module_objects=(drivers/iommu/iommufd/iommufd.o drivers/vfio/vfio.o drivers/vfio/pci/vfio-pci-core.o)

# put FROM <LIST: makes the files of LIST in $tree/patched new ones with their content in FROM, but for those
# that have that already. Tells how many it made.
put() {
	rsync -rpc --files-from=- --out-format=%n "$1/" "$tree/patched/" | grep -vc '/$' || true
}

# stage_pristine: the files that the patches change, as they are without them
stage_pristine() {
	local f some=()
	rm -rf "$stage"
	mkdir -p "$stage"
	while read -r f; do
		[[ ! -f $tree/pristine/$f ]] || some+=("$f")
	done <"$stage.touched"
	((!${#some[@]})) || (cd "$tree/pristine" && cp --parents -t "$stage" -- "${some[@]}")
}

# which_patch: dies with the name of the one that does not apply
which_patch() {
	local f p err
	for p in "${patches[@]}"; do
		GIT_CEILING_DIRECTORIES=$tree git -C "$tree" apply --numstat "$p" >/dev/null 2>&1 ||
			die "patches/linux-7.3/${p##*/} is not a patch: write it with git format-patch"
	done
	touched >"$stage.touched"
	stage_pristine
	for p in "${patches[@]}"; do
		if ! err=$(GIT_CEILING_DIRECTORIES=$tree git -C "$stage" apply "$p" 2>&1); then
			f=$(sed -n 's/^error: patch failed: \(.*\):[0-9]*$/\1/p; s/^error: \(.*\): \(No such file\|already exists\).*/\1/p' \
				<<<"$err" | head -n 1)
			die "patches/linux-7.3/${p##*/} does not apply to ${f:-the tree} of $source_id: rebase it on that tree"
		fi
	done
	die "the patches do not apply to $source_id together"
}

# Brings $tree/patched up to date. With the lock held. Everything is staged first, so that a file
# gets a new time only when its content is new, and a patch that fails leaves the tree as it was.
# A process costs some machines ten milliseconds and more, so there are few of them.
make_patched() {
	local from to f list=$tree/patched.files changed same=() ours=() back=()
	stage=$tree/stage
	if [[ ! -d $tree/patched ]]; then
		rm -rf "$tree/patched.new" "$list"
		cp -al "$tree/pristine" "$tree/patched.new"
		mv "$tree/patched.new" "$tree/patched"
	fi
	mkdir -p "$stage"
	touched >"$stage.touched" 2>/dev/null || which_patch
	stage_pristine
	((!${#patches[@]})) || GIT_CEILING_DIRECTORIES=$tree git -C "$stage" apply "${patches[@]}" 2>/dev/null ||
		which_patch
	while IFS=$'\t' read -r from to; do
		if [[ $from == "$to" ]]; then same+=("$from"); else ours+=("$from"); fi
	done < <(overlay)
	mkdir -p "$stage/drivers/iommu/freeze"
	(cd "$repo" && cp --parents -t "$stage" -- "${same[@]}" && cp --parents -t "$stage/drivers/iommu/freeze" -- "${ours[@]}")
	(cd "$stage" && find . -type f -printf '%P\n' | sort) >"$list.new"
	# what an earlier set of patches or an earlier overlay left behind
	if [[ -f $list ]]; then
		while read -r f; do
			if [[ -f $tree/pristine/$f ]]; then back+=("$f"); else rm -f "$tree/patched/$f"; fi
		done < <(comm -23 "$list" "$list.new")
		((!${#back[@]})) || printf '%s\n' "${back[@]}" | put "$tree/pristine" >/dev/null
	fi
	# the union first: a run that dies half way must not forget a file
	cat "$list.new" >>"$list"
	sort -u -o "$list" "$list"
	changed=$(put "$stage" <"$list.new")
	mv "$list.new" "$list"
	rm -rf "$stage" "$stage.touched"
	say "patched tree: ${#patches[@]} patches, $changed files changed since the last run"
}

# ---- building ----------------------------------------------------------------------------------

# arch NAME -> what make calls it
arch() {
	case $1 in
	smmuv3*|*-arm64)	echo arm64 ;;
	*)			echo x86_64 ;;
	esac
}

# use_arch NAME: sets what make reads, and where the image is that it makes
use_arch() {
	ARCH=$(arch "$1")
	case $ARCH in
	arm64)	CROSS_COMPILE=$cross
		boot=arch/arm64/boot/Image ;;
	*)	CROSS_COMPILE=
		boot=arch/x86/boot/bzImage ;;
	esac
}

# fragments CONFIG -> files, later ones win
fragments() {
	local names
	case $1 in
	vtd*|stock)	names=(base x86) ;;
	smmuv3*)	names=(base arm64) ;;
	debian)		names=(debian) ;;
	esac
	case $1 in
	vtd|smmuv3)	names+=(freeze) ;;
	*-off)		names+=(freeze-off) ;;
	vtd-debug)	names+=(freeze debug debug-x86) ;;
	smmuv3-debug)	names+=(freeze debug) ;;
	vtd-cov)	names+=(freeze cov) ;;
	vtd-modules)	names+=(freeze modules) ;;
	esac
	names=("${names[@]/#/$here/}")
	echo "${names[@]/%/.config}"
}

# key CONFIG -> what decides about the image
key() {
	local f
	{
		echo "$source_id"
		# not by head: who is still writing when that has enough would fail the whole pipe
		"${CROSS_COMPILE}gcc" --version | sed -n 1p
		"${CROSS_COMPILE}ld" --version | sed -n 1p
		sha256sum <"${BASH_SOURCE[0]}"
		for f in $(fragments "$1"); do sha256sum <"$f"; done
		[[ $1 != debian ]] || basename "$(cached_deb "$config_package")"
		[[ $1 == *stock ]] || overlay_hash
	} | sha256sum | cut -c1-12
}

# check_config .CONFIG FRAGMENT...: every symbol that was asked for really is there; later fragments win
check_config() {
	local line sym from
	while IFS=$'\t' read -r from line; do
		case $line in
		CONFIG_*)
			grep -qxF "$line" "$1" ||
				die "${from##*/} asks for $line and Kconfig did not give it: look at what ${line%%=*} depends on" ;;
		*)	sym=${line#'# '}
			sym=${sym% is not set}
			! grep -q "^$sym=" "$1" ||
				die "${from##*/} asks for $sym off and Kconfig turned it on: look for what selects it" ;;
		esac
	done < <(awk '
		{ sym = "" }
		/^CONFIG_/			{ sym = $1; sub(/=.*/, "", sym) }
		/^# CONFIG_[^ ]* is not set$/	{ sym = $2 }
		sym				{ asked[sym] = FILENAME "\t" $0 }
		END				{ for (sym in asked) print asked[sym] }' "${@:2}")
}

# seed CONFIG SRC OUT: starts a build from the objects of one that is hardly different, so that make
# finds most of them good.
seed() {
	local from from_src=$tree/patched
	case $1 in
	vtd | stock)	from=$tree/build-vtd-off ;;
	vtd-off | vtd-modules)	from=$tree/build-vtd ;;
	smmuv3 | smmuv3-stock)	from=$tree/build-smmuv3-off ;;
	smmuv3-off)	from=$tree/build-smmuv3 ;;
	*)		return 0 ;;
	esac
	[[ ! -d $3 && -f $from/$boot ]] || return 0
	rm -rf "$3.new"
	cp -a "$from" "$3.new"
	# make notes its commands and the files that they read with full paths
	grep -rlZ --include='.*.cmd' -e "$from/" -e "$from_src" "$3.new" |
		xargs -0r sed -i "s|$from/|$3/|g; s|$from_src|$2|g" || true
	# A file of the other tree may be older than the objects, so make would keep them. What was made
	# from a file that the trees do not share as one hard link is made anew.
	if [[ $2 != "$from_src" ]]; then
		find "$from_src" -type f -links 1 -printf "$2/%P\n" |
			grep -rlZF --include='.*.cmd' -f - "$3.new" | xargs -0r rm || true
	fi
	mv "$3.new" "$3"
}

# kconfigs SRC CONFIG -> what decides about a configuration: all that is ours or touched by us
kconfigs() {
	local f files=()
	echo "$source_id"
	"${CROSS_COMPILE}gcc" --version
	"${CROSS_COMPILE}ld" --version
	read -r -a files < <(fragments "$2")
	# none is there as long as nothing but Linux itself was built
	while read -r f; do
		[[ ! -f $1/$f ]] || files+=("$1/$f")
	done < <(grep -s Kconfig "$tree/patched.files")
	cat "${files[@]}"
}

# configure CONFIG SRC OUT LOG: unless that was done, and would come to the same
configure() {
	local config=$1 src=$2 out=$3 log=$4 want
	seed "$config" "$src" "$out"
	mkdir -p "$out"
	want=$(kconfigs "$src" "$config" | sha256sum)
	if [[ $config != debian && -f $out/.config && -f $out/.configured && $(<"$out/.configured") == "$want" ]]; then
		return 0
	fi
	say "$config: configuring"
	rm -f "$out/.configured" "$out/.built"
	{
		if [[ $config == debian ]]; then
			dpkg-deb --fsys-tarfile "$(cached_deb "$config_package")" |
				tar -xO "./usr/src/$config_package/config.amd64_none_amd64.xz" | xz -dc >"$out/.config"
		else
			make -C "$src" O="$out" tinyconfig
		fi
		# shellcheck disable=SC2046
		(cd "$out" && "$src/scripts/kconfig/merge_config.sh" -m -O "$out" .config $(fragments "$config"))
		make -C "$src" O="$out" olddefconfig
	} >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "$config: the configuration failed: $log"; }
	# shellcheck disable=SC2046
	check_config "$out/.config" $(fragments "$config")
	echo "$want" >"$out/.configured"
}

# gcov_vars -> variables for make that have our objects instrumented: for each source, under the name
# that the Makefile has for it that links it. Kbuild ignores those that nobody links. The early passes
# would fold lines such as "return false;" into their neighbours before there is a counter.
gcov_vars() {
	local from to name
	while IFS=$'\t' read -r from to; do
		[[ $from == *.c ]] || continue
		for name in "${from%.c}" "../freeze/${from%.c}" "../iommu/freeze/${from%.c}"; do
			echo "GCOV_PROFILE_$name.o=y"
			echo "CFLAGS_$name.o=-fno-early-inlining -fdisable-tree-early_optimizations"
		done
	done < <(overlay)
}

# gcov_keep SRC OUT DIR: what the compiler noted about each object, beside the source that it read
gcov_keep() {
	local d=drivers/iommu/freeze
	mkdir -p "$3/$d"
	rsync -am --include='*/' --include='*.[ch]' --exclude='*' "$1/$d/" "$3/$d/"
	rsync -am --include='*/' --include='*.gcno' --exclude='*' "$2/$d/" "$3/$d/"
}

# modules_keep OUT DIR: the modules, and DIR/order: their names, each after those that it needs
modules_keep() {
	local ko kos name need
	mkdir -p "$2"
	# by the list of this build: one that is off now may lie there from before
	[[ -s $1/modules.order ]] || die "$1/modules.order: this build has no module"
	mapfile -t kos < <(sed 's/\.o$/.ko/' "$1/modules.order")
	for ko in "${kos[@]}"; do
		name=${ko##*/}
		name=${name%.ko}
		cp "$1/$ko" "$2/$name.ko"
		echo "$name $name"
		objcopy -O binary --only-section=.modinfo "$1/$ko" /dev/stdout | tr '\0' '\n' |
			sed -n 's/^depends=//p' | tr , '\n' | while read -r need; do
				[[ -n $need ]] || continue
				# a module's file may have a hyphen where its name has an underscore
				need=$(printf '%s\n' "${kos[@]##*/}" | grep -x "${need//_/[-_]}.ko")
				echo "${need%.ko} $name"
			done
	done | tsort >"$2/order"
}

# missing_exports OUT -> symbols of ours, or of files that we touch, that a module asks for and cannot have
missing_exports() (
	local object builtin=()
	cd "$1"
	while read -r object; do
		case $object in
		drivers/iommu/iommufd/* | drivers/vfio/*) ;;
		*)	builtin+=("$object") ;;
		esac
	done < <(find drivers/iommu/freeze/{iommu,pci} drivers/iommu/freeze/iommufd/store_memfd.o \
		drivers/iommu/freeze/vfio/handler.o -name '*.o'; touched_objects)
	comm -12 <(nm -u "${module_objects[@]}" | awk 'NF == 2 { print $2 }' | sort -u) \
		<(comm -23 <(nm --defined-only "${builtin[@]}" | awk '$2 ~ /[TDRBW]/ { print $3 }' | sort -u) \
			<(nm "${builtin[@]}" | sed -n 's/.* __export_symbol_//p' | sort -u))
)

# check_objects OUT: no module misses a symbol
check_objects() {
	local text
	text=$(missing_exports "$1")
	[[ -z $text ]] || die "debian: modules need these, which are not exported: ${text//$'\n'/ }"
}

# sources SRC: checksums of all that is ours or touched by us
sources() { (cd "$1" && xargs -d '\n' sha256sum <"$tree/patched.files"); }

# stale SRC OUT -> the objects that are to be made anew, as make calls them, when nothing but C files was edited
# since the last good build; fails if it cannot be told from that. A configuration that is made anew removes
# the record.
stale() (
	[[ -f $2/.building && -f $2/vmlinux.o ]] || exit 1
	comm -3 <(sort "$2/.building") <(sort "$2/.sources") | sed 's/^\t*[0-9a-f]*  //' | sort | uniq -c >"$2/.edited"
	[[ -s $2/.edited ]] || exit 1
	# a file that came or went is there once
	! grep -qvE '^ *2 .*\.c$' "$2/.edited" || exit 1
	# Found by the last part of the name, as a Makefile may reach a file by "..".
	sed 's|.*/|/|' "$2/.edited" | (cd "$2" && grep -rlZF --include='.*.o.cmd' -f - . |
		xargs -0r awk -v src="$1/" '
			FILENAME == ARGV[1]	{ edited[src $2]; next }
			FNR == 1		{ object = $1; sub("^savedcmd_", "./", object) }
			{
				while (sub("[^/ ]+/[.][.]/", "")) ;
				for (f in edited) if (index($0, f)) { print object; nextfile }
			}' .edited | sort)
)

# Runs make with a progress line every 20 seconds.
build() {
	local config=$1 src=$2 out=$3 log=$4 pid start=$SECONDS rc=0 last vars=() goals=("${boot##*/}") objects=()
	case $config in
	vtd-cov)	mapfile -t vars < <(gcov_vars) ;;
	vtd-modules)	goals+=(modules) ;;
	debian)		vars=(W=1e)
			mapfile -t goals < <(echo drivers/iommu/freeze/; printf '%s\n' "${module_objects[@]}"; touched_objects) ;;
	esac
	vars+=("LOCALVERSION=-$config" "-j${JOBS:-$(nproc)}")
	rm -f "$out/.building"
	case $config in
	vtd | vtd-debug | smmuv3 | smmuv3-debug)
		[[ ! -f $out/.built ]] || mv "$out/.built" "$out/.building"
		sources "$src" >"$out/.sources"
		mapfile -t objects < <(stale "$src" "$out") ;;
	esac
	if ((${#objects[@]})); then
		# make would look at each object of the kernel, and that is most of what it does here: it is told
		# which to make, and links all as ever
		(cd "$out" && rm -f vmlinux.o "${objects[@]}")
		set -- make -C "$out" -f "$src/Makefile" -rR --no-print-directory -o prepare "single-goals=${objects[*]}"
	else
		set -- make -C "$src" O="$out"
	fi
	"$@" "${vars[@]}" "${goals[@]}" >"$log" 2>&1 9>&- &
	pid=$!
	# shellcheck disable=SC2064
	trap "kill $pid 2>/dev/null || true" EXIT
	last=$SECONDS
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.5
		((SECONDS - last >= 20)) || continue
		last=$SECONDS
		say "$config: building, $((SECONDS - start)) s, $(wc -l <"$log") steps: $(tail -n 1 "$log" | tr -s ' ')"
	done
	wait "$pid" || rc=$?
	trap - EXIT
	if ((rc)); then
		grep -nE 'error|Error|undefined reference|\*\*\*' "$log" | head -n 30 >&2 || tail -n 30 "$log" >&2
		die "$config: the build failed: $log"
	fi
	grep -A8 'warning:' "$log" >&2 || true
	[[ ! -f $out/.sources ]] || mv "$out/.sources" "$out/.built"
	say "$config: built in $((SECONDS - start)) s${objects[*]:+ (${#objects[@]} objects)}"
}

# kernel CONFIG -> path of the image, or of the folder that says that all objects were good
kernel() {
	local config=$1 k dir src out log old result
	use_arch "$config"
	result=${boot##*/}
	[[ $config != debian ]] || { need_deb "$config_package" >/dev/null; result=.config; }
	dir=$tree/image/$config-$(key "$config")
	# the lock may wait for a run that makes this very image
	[[ -f $dir/$result ]] || lock test -f "$dir/$result"
	if [[ -f $dir/$result ]]; then
		# the newest are kept, and this one is in use
		touch -c "$dir" 2>/dev/null || true
		say "$config: up to date"
	else
		make_pristine
		out=$tree/build-$config
		log=$out.log
		src=$tree/pristine
		# from here on make sees a copy; an edit during the copying means another key, so copy again
		while :; do
			k=$(key "$config")
			[[ $config == *stock ]] || { make_patched; src=$tree/patched; }
			configure "$config" "$src" "$out" "$log"
			[[ $(key "$config") != "$k" ]] || break
			say "$config: the checkout changed meanwhile; taking it again"
		done
		build "$config" "$src" "$out" "$log"
		dir=$tree/image/$config-$k
		rm -rf "$dir" "$dir.new"
		mkdir -p "$dir.new"
		if [[ $config == debian ]]; then
			check_objects "$out"
		else
			cp "$out/$boot" "$out/System.map" "$dir.new/"
		fi
		cp "$out/.config" "$dir.new/"
		[[ $config != vtd-cov ]] || gcov_keep "$src" "$out" "$dir.new/gcno"
		[[ $config != vtd-modules ]] || modules_keep "$out" "$dir.new/modules"
		mv "$dir.new" "$dir"
		# shellcheck disable=SC2012
		ls -td "$tree/image/$config"-???????????? | tail -n +$((keep_images + 1)) |
			while read -r old; do rm -rf "$old"; done
	fi
	[[ $config == debian ]] || dir+=/$result
	printf '%s\n' "$dir" >&3
}

# headers NAME -> path of the headers; NAME is the folder's
headers() {
	local dir=$tree/$1
	use_arch "$1"
	# the lock may wait for a run that installs them
	[[ -d $dir ]] || lock
	if [[ ! -d $dir ]]; then
		make_pristine
		say "installing the user-space headers for $ARCH"
		rm -rf "$dir.new"
		make -s -C "$tree/pristine" O="$tree/build-$1" INSTALL_HDR_PATH="$dir.new" headers_install ||
			die "make headers_install failed: see above"
		mv "$dir.new" "$dir"
	fi
	printf '%s\n' "$dir/include" >&3
}

# What the tool links with; what these need comes along.
sysroot_packages=(libarchive-dev libjansson-dev libpci-dev libssl-dev)

# sysroot -> path of a folder to compile and link with, and to take libraries from. An apt that has nothing
# installed resolves the dependencies, so the system never hears of the other architecture.
sysroot() {
	local d=$cache/apt-arm64 dir deb release
	release=$(codename)
	dir=$cache/sysroot-arm64-$release-$(sha256sum <<<"${sysroot_packages[*]}" | cut -c1-12)
	# the lock may wait for a run that fills it
	[[ -d $dir ]] || lock test -d "$dir"
	if [[ ! -d $dir ]]; then
		command -v apt-get >/dev/null || die "no apt-get here to fetch Debian's arm64 packages with"
		find_archive
		say "fetching ${sysroot_packages[*]} for arm64, and what they need, from $release at $archive"
		mkdir -p "$d"
		: >"$d/status"
		apt_of "$d" "$release" -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
			-o "Dir::State::status=$d/status" ||
			die "cannot read $release for arm64 at $archive: check the network, or set DEBIAN_MIRROR=URL of a mirror that has it"
		apt-get -q -y "${apt_opts[@]}" --no-install-recommends --download-only install \
			"${sysroot_packages[@]}" </dev/null >/dev/null ||
			die "$release at $archive did not give ${sysroot_packages[*]} for arm64: see above"
		rm -rf "$dir.new"
		mkdir -p "$dir.new/usr/lib"
		# as it is on a system, or there would be two folders of libraries
		ln -s usr/lib "$dir.new/lib"
		for deb in "$d"/cache/archives/*.deb; do
			dpkg-deb --fsys-tarfile "$deb" |
				tar -C "$dir.new" --keep-directory-symlink --exclude=./usr/share -xf -
		done
		rm -f "$d"/cache/archives/*.deb
		mv "$dir.new" "$dir"
	fi
	printf '%s\n' "$dir" >&3
}

main() {
	local arg
	(($#)) || { usage 3>&2; exit 2; }
	for arg; do
		case $arg in
		--help|-h)	usage; exit 0 ;;
		--install)	install_packages; exit 0 ;;
		--check)	check; exit ;;
		vtd|vtd-debug|vtd-cov|vtd-modules|vtd-off|stock|debian) ;;
		smmuv3|smmuv3-debug|smmuv3-off|smmuv3-stock) ;;
		source|patched|headers|headers-arm64|sysroot-arm64) ;;
		*)		echo "setup: error: unknown name '$arg': see tests/kernel/setup.sh --help" >&2; exit 2 ;;
		esac
	done

	need_tools "$@"
	for arg; do
		# what needs no kernel tree fetches none
		[[ $arg == sysroot-arm64 || -n ${tree:-} ]] || find_source
		case $arg in
		source)		[[ -d $tree/pristine ]] || { lock test -d "$tree/pristine"; make_pristine; }
				printf '%s\n' "$tree/pristine" >&3 ;;
		patched)	lock; make_pristine; make_patched
				printf '%s\n' "$tree/patched" >&3 ;;
		headers*)	headers "$arg" ;;
		sysroot-arm64)	sysroot ;;
		*)		kernel "$arg" ;;
		esac
	done
}

# bash reads a script as it goes: with all on this line, an edit during a build does no harm
main "$@"; exit
