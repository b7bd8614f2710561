#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs hardware-in-loop scenarios: boots a kernel of tests/kernel in QEMU with a VT-d and an igb NIC,
# lets the demo VMM (vmm/) play the scenario's scripts in it and the observer (observer/) watch
# from outside, then checks the observer's report. One KTAP line per scenario.
#
# A scenario is a folder here:
#   scenario   shell variables, see defaults below
#   bootN      script of the VMM in kernel N of the chain, see vmm/main.c
#   expect     checks on the report: one jq expression per line, all must be true; expect.jq has words for them
# A folder without a scenario file is only for others to be LIKE.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
out=$repo/out/hil

usage() {
	cat <<END
Usage: tests/hil/run.sh NAME... | all
       tests/hil/run.sh --list | --help

Runs scenarios one after the other and prints KTAP. For each, out/hil/ gets NAME.json (the report),
NAME.serial.log (console, seconds by the observer's clock), NAME.trace.log (QEMU's IOMMU faults)
and NAME.qemu.log.

  --list  print the names

Environment:
  HIL_ACCEL   tcg or kvm [tcg]
  HIL_KERNEL  boot this bzImage instead of the one that the scenario names

Exit: 0 all passed, 1 some failed, 2 wrong usage or something is missing.
END
}

say() { printf '# %s\n' "$*" >&2; }
die() { printf 'hil: error: %s\n' "$*" >&2; exit 2; }

list() {
	local dir
	for dir in "$here"/*/; do
		if [ -f "$dir/scenario" ]; then basename "$dir"; fi
	done
}

names=()
for arg; do
	case $arg in
	--help | -h) usage; exit 0 ;;
	--list) list; exit 0 ;;
	-*) usage >&2; exit 2 ;;
	all) mapfile -t names < <(list) ;;
	*)
		[ -f "$here/$arg/scenario" ] || die "no scenario '$arg'; tests/hil/run.sh --list names them"
		names+=("$arg") ;;
	esac
done
[ ${#names[@]} -gt 0 ] || { usage >&2; exit 2; }

for tool in qemu-system-x86_64 jq cpio cc; do
	command -v "$tool" >/dev/null ||
		die "$tool is missing: run tests/kernel/setup.sh --install"
done
version=$(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9]*\).*/\1/p')
[ "${version:-0}" -ge 8 ] ||
	die "QEMU ${version:-?} has no igb NIC, 8 is needed: run tests/kernel/setup.sh --install"
case ${HIL_ACCEL:=tcg} in
tcg) accel=(-accel "tcg,thread=multi" -cpu max) ;;
kvm) accel=(-accel kvm -cpu host) ;;
*) die "HIL_ACCEL=$HIL_ACCEL: tcg or kvm" ;;
esac

mkdir -p "$out"
work=$(mktemp -d "${TMPDIR:-/tmp}/hil.XXXXXX")
qemu=
saboteur=
mem=
cleanup() {
	if [ -n "$qemu" ]; then kill -9 "$qemu" 2>/dev/null || true; fi
	if [ -n "$saboteur" ]; then kill -9 "$saboteur" 2>/dev/null || true; fi
	rm -rf "$work" ${mem:+"$mem"}
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# Built where no other user of this checkout builds: only the sources are in the tree.
headers=$("$repo/tests/kernel/setup.sh" headers 2>"$work/setup.log") ||
	{ cat "$work/setup.log" >&2; die "no kernel headers"; }
make -s -C "$here/vmm" OUT="$work" HEADERS="$headers"
make -s -C "$here/observer" OUT="$work"
make -s -C "$here/saboteur" OUT="$work"

# kernel CONFIG -> bzImage
kernel() {
	if [ -n "${HIL_KERNEL:-}" ]; then
		echo "$HIL_KERNEL"
	else
		"$repo/tests/kernel/setup.sh" "$1"
	fi
}

# tool DIR: iommu-freeze and the libraries that it needs, in one folder
tool() {
	make -s -C "$repo/tools/iommu-freeze" out="$work/tool" >&2
	cp "$work/tool/iommu-freeze" "$1"
	ldd "$work/tool/iommu-freeze" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' |
		xargs cp -Lt "$1"
}

# initrd DIR BZIMAGE FILE TARGET
initrd() {
	local root=$work/root
	rm -rf "$root"
	mkdir -p "$root"/{boot,scenario,dev,proc,sys}
	cp "$work/vmm" "$root/init"
	cp "$1"/boot[0-9]* "$root/scenario/"
	cp "$2" "$root/boot/bzImage"
	if [ -n "$4" ]; then cp "$4" "$root/boot/target"; fi
	# The VMM's commands "tool" and "churn"; /boot goes along into the next kernel.
	if grep -Eqs '^(tool|churn) ' "$1"/boot[0-9]*; then tool "$root/boot"; fi
	(cd "$root" && find . | cpio -o -H newc --quiet) > "$3"
}

# check REPORT EXPECT: every line of EXPECT holds
check() {
	local line bad=0
	while IFS= read -r line; do
		case $line in '' | \#*) continue ;; esac
		if [ "$(jq "$(cat "$here/expect.jq") $line" "$1" 2>&1)" != true ]; then
			say "  expected: $line"
			bad=1
		fi
	done < "$2"
	return $bad
}

# The scenario $1: 0 = as expected, 3 = QEMU itself failed
run() {
	local name=$1 dir=$here/$1 expect run image target report=$out/$1.json net=() i status=0

	# Defaults; a scenario file may change each.
	local KERNEL=vtd		# configuration of tests/kernel
	local MEMORY=1536		# MiB
	local SCRATCH=16M,256M,64M	# where KHO puts the next kernel
	local APPEND=			# more kernel command line
	local IOMMU=intremap=on,aw-bits=48
	local NICS=1
	local DEVICES=			# more QEMU options
	local TARGET=			# configuration of the kernel that is /boot/target; none if empty
	local RATE=1000			# frames per second
	local FRAMES_MIN=8000
	local TIMEOUT=240		# seconds, for QEMU
	local SABOTAGE=			# what saboteur/ spoils
	local SABOTAGE_AT="Starting new kernel"	# ... as soon as the console has this line
	local LIKE=			# folder whose bootN are used where there are none here, and whose expect holds as well
	# shellcheck disable=SC1091
	. "$dir/scenario"
	local scripts=$dir
	[ -f "$scripts/boot0" ] || scripts=$here/$LIKE

	image=$(kernel "$KERNEL") || { say "  no kernel '$KERNEL'"; return 1; }
	target=
	if [ -n "$TARGET" ]; then
		target=$("$repo/tests/kernel/setup.sh" "$TARGET") || { say "  no kernel '$TARGET'"; return 1; }
	fi
	initrd "$scripts" "$image" "$work/initrd" "$target"
	run=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

	mem=/dev/shm
	[ "$(df --output=avail -BM /dev/shm 2>/dev/null | tail -1 | tr -dc 0-9)" -gt $((MEMORY + 256)) ] ||
		mem=$out
	mem=$(mktemp "$mem/hil-mem.XXXXXX")
	truncate -s "${MEMORY}M" "$mem"

	set --
	for ((i = 0; i < NICS; i++)); do
		set -- "$@" -device "pcie-root-port,id=rp$i,chassis=$i,slot=$i" \
			-netdev "dgram,id=net$i,local.type=unix,local.path=$work/qemu$i,remote.type=unix,remote.path=$work/observer$i" \
			-device "igb,bus=rp$i,netdev=net$i"
		net+=(--net "$work/observer$i,$work/qemu$i")
	done
	rm -f "$report" "$work/serial" "$out/$name".*.log
	# shellcheck disable=SC2086 # DEVICES is several words
	# A high priority where we may: gaps of milliseconds are measured. no_timer_check: a kernel
	# under TCG on a busy host otherwise gives up on its timer, which has nothing to do with us.
	nice -n -10 qemu-system-x86_64 "${accel[@]}" -M q35,kernel-irqchip=split,i8042=off,memory-backend=ram \
		-smp 2 -m "$MEMORY" -object "memory-backend-file,id=ram,size=${MEMORY}M,mem-path=$mem,share=on" \
		-nodefaults -display none -no-reboot -device "intel-iommu,$IOMMU" "$@" $DEVICES \
		-chardev "socket,id=serial,path=$work/serial,server=on,wait=on" -serial chardev:serial \
		-trace vtd_dmar_fault -trace vtd_fault_disabled -D "$out/$name.trace.log" \
		-kernel "$image" -initrd "$work/initrd" \
		-append "console=ttyS0 earlyprintk=serial,ttyS0,115200 loglevel=7 printk.devkmsg=on panic=-1 no_timer_check intel_iommu=on kho=on kho_scratch=$SCRATCH liveupdate=on $APPEND hil.boot=0 hil.run=$run" \
		> "$out/$name.qemu.log" 2>&1 &
	qemu=$!
	saboteur=
	if [ -n "$SABOTAGE" ]; then
		"$work/saboteur" "$mem" "$out/$name.serial.log" "$SABOTAGE_AT" "$SABOTAGE" 2> "$work/sabotage.log" &
		saboteur=$!
	fi
	"$work/observer" --scenario "$name" --mem "$mem" --serial "$work/serial" --run "$run" "${net[@]}" \
		--log "$out/$name.serial.log" --trace "$out/$name.trace.log" --json "$report" \
		--rate "$RATE" --frames-min "$FRAMES_MIN" --timeout "$TIMEOUT" || status=$?
	if [ -n "$saboteur" ]; then
		wait "$saboteur" || { say "  $(cat "$work/sabotage.log")"; status=1; }
		saboteur=
	fi
	kill "$qemu" 2>/dev/null || true
	wait "$qemu" 2>/dev/null || true
	qemu=
	rm -f "$mem"
	mem=
	if [ ! -s "$report" ]; then
		say "  no report; see $out/$name.qemu.log"
		tail -n 3 "$out/$name.qemu.log" | sed 's/^/#   /' >&2
		return 1
	fi
	# Blocked descriptor reads make very many faults; they are counted, some lines are enough.
	sed -i '2000,$d' "$out/$name.trace.log"
	# QEMU 10.0 under TCG now and then aborts in here while the kernel shuts its devices down:
	# seen once in some sixty runs. That says nothing about the kernel.
	if [ "$status" != 0 ] && grep -q 'iotlb_to_section: Assertion' "$out/$name.qemu.log"; then
		say "$name: QEMU aborted, see $out/$name.qemu.log"
		return 3
	fi
	# Seen once in some two hundred boots: the emulated machine stands still, with nothing said,
	# before anything of the scenario has run.
	if [ "$status" != 0 ] && ! grep -q 'HIL: boot=0' "$out/$name.serial.log" &&
	   jq -e '.timed_out and .kernel_reports == 0' "$report" >/dev/null; then
		say "$name: the first kernel did not come up, see $out/$name.serial.log"
		return 3
	fi
	if [ "$status" != 0 ]; then
		say "  did not run to its end: $(jq -r 'if .timed_out then "time is up" else .vmm_failed // .kernel_report // "the machine stopped" end' "$report"); see $out/$name.serial.log"
	fi
	check "$report" "$here/expect-always" || status=1
	# What the tool printed as JSON about a real kernel
	/usr/bin/python3 "$repo/tests/tool/validate.py" --log "$report" 2>&1 | sed 's/^/#   /' >&2 || status=1
	for expect in "$dir" ${LIKE:+"$here/$LIKE"}; do
		if [ -f "$expect/expect" ]; then check "$report" "$expect/expect" || status=1; fi
	done
	return "$status"
}

echo "KTAP version 1"
echo "1..${#names[@]}"
n=0
failed=0
for name in "${names[@]}"; do
	n=$((n + 1))
	rc=0
	run "$name" || rc=$?
	if [ "$rc" = 3 ]; then
		say "$name: running it once more"
		rc=0
		run "$name" || rc=$?
	fi
	if [ "$rc" = 0 ]; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		failed=1
	fi
done
exit "$failed"
