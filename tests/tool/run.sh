#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of the tool without a kernel that supports it; prints TAP. Called by the Makefile beside it:
# run.sh TOP OUT FUZZ_SECONDS
set -uo pipefail

if [ $# -ne 3 ]; then
	echo "usage: run.sh TOP OUT FUZZ_SECONDS (use: make -C tests/tool check)" >&2
	exit 2
fi
top=$1 out=$2 fuzz_seconds=$3
tool=$out/tool/iommu-freeze
asan=$out/tool-asan/iommu-freeze
here=$top/tests/tool
# the distribution's, whatever else is in the PATH: python3-jsonschema is one of its packages
python=/usr/bin/python3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
n=0
failed=0
export ASAN_OPTIONS=detect_leaks=1
unset NO_COLOR

# result NAME EXIT-CODE [TEXT]
result() {
	n=$((n + 1))
	if (($2)); then
		[[ -z ${3:-} ]] || echo "# ${3//$'\n'/$'\n'# }"
		echo "not ok $n - $1"
		failed=1
	else
		echo "ok $n - $1"
	fi
}

# skip NAME REASON [COUNT]: as many results as there would have been, so that all machines count the same
skip() {
	local i
	for ((i = 0; i < ${3:-1}; i++)); do
		n=$((n + 1))
		echo "ok $n - $1 # SKIP $2"
	done
}

# expect CODE STDERR-PATTERN NAME CMD...: that exit code; stderr is one line that matches, or nothing
expect() {
	local code=$1 pattern=$2 name=$3 rc=0 text lines
	shift 3
	"$@" >"$tmp/stdout" 2>"$tmp/stderr" </dev/null || rc=$?
	text="exit code $rc, not $code; stderr: $(cat "$tmp/stderr")"
	lines=$(wc -l <"$tmp/stderr")
	if ((rc != code)); then
		result "$name" 1 "$text"
	elif [[ -z $pattern ]]; then
		result "$name" "$((lines != 0))" "$text"
	elif ((lines != 1)) || ! grep -Eq -- "$pattern" "$tmp/stderr"; then
		result "$name" 1 "$text (want one line: $pattern)"
	else
		# a failure tells on stderr, not on stdout
		result "$name" "$((code && $(wc -c <"$tmp/stdout")))" "stdout: $(head -3 "$tmp/stdout")"
	fi
}

kernel_verbs=("list" "show 01:00.0" "check" "freeze --trial 01:00.0" "verify" "extents 01:00.0" "discard 01:00.0")
"$out/blobs" "$tmp" || exit 1

#
# Command line
#
expect 2 "no verb; see" "no verb at all" "$asan"
expect 2 "no verb 'frobnicate'" "an unknown verb" "$asan" frobnicate
expect 2 "no verb 'x'" "help of an unknown verb" "$asan" help x
for v in list show check freeze verify extents discard decode version help; do
	expect 0 "" "$v --help" "$asan" "$v" --help
	grep -q "^Usage: iommu-freeze $v" "$tmp/stdout"
	result "$v --help tells the usage" $?
	expect 2 "no option '-x'" "$v -x" "$asan" "$v" -x
	expect 2 "no option '--frob'" "$v --frob" "$asan" "$v" --frob
done
for a in "version -d 1:1" "discard -s 1: 01:00.0" "decode --incoming x" "help --json" "list --json=1" "check --outgoing" \
	"check --trial" "freeze --trial --stage early 01:00.0" "freeze --target x 01:00.0" "verify --target-cmdline x"; do
	expect 2 "no option" "$a" "$asan" $a
done
for v in show extents discard; do
	expect 2 "no device is named" "$v without a device" "$asan" "$v"
done
for a in "freeze" "freeze 01:00.0" "freeze --json -d 8086:"; do
	expect 2 "only --trial; a real freeze is LUO's, inside kexec" "$a" "$asan" $a
done
expect 2 "no device is named" "freeze --trial without a device" "$asan" freeze --trial
for v in stage target target-cmdline; do
	expect 2 "'--$v' needs a value" "check --$v without a value" "$asan" check --"$v"
done
for v in "" Early preserved kexe; do
	expect 2 "no stage '$v'" "no stage '$v'" "$asan" check --stage "$v"
done
expect 2 "without --target" "a command line for no target" "$asan" check --target-cmdline kho=on
expect 2 "not both" "check of a device and a filter" "$asan" check -d 8086: 01:00.0
expect 2 "no file is named" "decode without a file" "$asan" decode
expect 2 "'b' is too much" "decode of two files" "$asan" decode a b
expect 2 "exclude each other" "both directions" "$asan" list --incoming --outgoing
expect 2 "not both" "a device and a filter" "$asan" list -s 1: 01:00.0
expect 2 "needs a value" "-s without a value" "$asan" list -s
expect 2 "-s 'zz'" "a bad slot filter" "$asan" list -s zz
expect 2 "-d '12345:1'" "a bad id filter" "$asan" list -d 12345:1
for b in "" 1 1:2 1:2.8 1:20.0 100:1.0 01:00.0x x01:00.0 :01:00.0 80000000:01:00.0 1:2:3:4.0 "01:00. 0" 01:00.0/; do
	expect 2 "is no device" "'$b' is no device" "$asan" show "$b"
done

#
# No kernel for it: 4, whatever is asked; so these places and filters are good ones
#
good=("${kernel_verbs[@]}" "show 1:2.3" "show ffff:ff:1f.7" "show 10000:01:00.0" "list -s 1:"
	"list -s .0 -d 8086:" "list -d ::02" "verify --json" "list --json" "extents --json 0000:01:00.0 1:0.0"
	"check --stage=early --target=x --target-cmdline=y" "check --stage kexec --target x --target-cmdline y"
	"check --json 1:0.0 2:0.0" "check -s 1: -d 8086:" "freeze --json --trial 1:0.0 2:0.0" "freeze -d 8086: --trial")
if [[ -e /dev/iommu-freeze ]]; then
	skip "exit code 4" "/dev/iommu-freeze is here" ${#good[@]}
else
	for v in "${good[@]}"; do
		expect 4 "/dev/iommu-freeze: .*CONFIG_IOMMU_FREEZE" "$v: 4 without the device node" "$asan" $v
	done
fi
if [[ $(id -u) -eq 0 ]] && unshare -m true 2>/dev/null; then
	# a node as the kernel makes it, with no driver behind it, for this command only
	with_node() {
		unshare -m bash -c 'mount -t tmpfs -o mode=755 none /dev && mknod -m 666 /dev/null c 1 3 &&
			mknod -m 600 /dev/iommu-freeze c "$0" "$1" && shift && exec "$@"' "$@"
	}
	cp "$asan" "$tmp/asan"
	for v in "${kernel_verbs[@]}"; do
		expect 5 "/dev/iommu-freeze: .*run as root" "$v: 5 as a plain user" \
			with_node 10 250 runuser -u nobody -- "$tmp/asan" $v
		expect 4 "/dev/iommu-freeze: .*CONFIG_IOMMU_FREEZE" "$v: 4 with a node without a driver" \
			with_node 4095 4095 "$tmp/asan" $v
	done
	# a driver that knows none of our calls
	for v in list check "freeze --trial 01:00.0 02:00.0"; do
		expect 4 "this kernel cannot do it" "$v: 4 when the driver does not know the call" \
			with_node 1 3 "$tmp/asan" $v
	done
	expect 0 "" "decode as a plain user" runuser -u nobody -- "$tmp/asan" decode "$tmp/one.blob"
else
	skip "exit code 5" "not root, or no mount namespaces" $((2 * ${#kernel_verbs[@]} + 4))
fi

#
# decode
#
for b in empty one many smmuv3 padded; do
	expect 0 "" "decode $b" "$asan" decode "$tmp/$b.blob"
	cp "$tmp/stdout" "$tmp/$b.text"
	expect 0 "" "decode --json $b" "$asan" decode --json "$tmp/$b.blob"
	cp "$tmp/stdout" "$tmp/$b.json"
	text=$("$python" "$here/validate.py" --verb decode "$tmp/$b.json" 2>&1)
	result "decode --json $b is valid" $? "$text"
	"$asan" decode --json - <"$tmp/$b.blob" 2>&1 | cmp -s - "$tmp/$b.json"
	result "decode - $b gives the same" $?
done
grep -q "^  digest   $(printf 'a0%.0s' {1..32})$" "$tmp/one.text"
result "decode tells the digest" $?
grep -Fqx "  level 2  0x44108000, streams from 0x8000" "$tmp/smmuv3.text" && grep -Fqx "  head     0x50103000" "$tmp/smmuv3.text" &&
	[[ $(grep -c "^  head" "$tmp/smmuv3.text") == 1 ]] && ! grep "^  head" "$tmp/one.text"
result "decode tells a level 2 table, and the one head" $?
grep -q "4096 bytes that are not part of it" "$tmp/padded.text"
result "decode tells what is behind the handover" $?
text=$("$python" - "$tmp" <<'PY' 2>&1
import json, sys
def load(name):
    return json.load(open(f"{sys.argv[1]}/{name}.json", encoding="utf-8"))
many, one = load("many"), load("one")
assert (len(many["units"]), len(many["domains"]), len(many["devices"])) == (2, 4, 9), many
assert one["blob"]["frozen"] and one["blob"]["generation"] == 7, one["blob"]
assert many["domains"][1]["mapped"] == 2**63 - 1, many["domains"][1]
assert [b["device"] for b in many["devices"][3]["bridges"]][1:] == ["0001:01:00.0", "0001:02:01.0"], many["devices"][3]
dev = one["devices"][0]
assert dev["device"] == "0000:00:00.0" and dev["state"] == "frozen", dev
assert dev["vendor_id"] == "0x8086" and dev["device_id"] == "0x10c9", dev
assert dev["bars"][:3] == ["0xfe860000", "0xfe880000", "0xd001"] and dev["command"] == "0x406", dev
dom = one["domains"][0]
assert dom["chunks"] == [{"address": "0x40000000", "length": 0x8000, "used": 0x3000}], dom
assert (dom["levels"], dom["did"], dom["leaves"], dom["extents"]) == (4, 1, 514, 2), dom
unit = one["units"][0]
assert unit["contexts"] == [{"bus": 0, "address": "0x101000"}] and unit["root"] == "0x100000", unit
assert unit["irt"] is None and many["units"][1]["irt"] == "0x114000", many["units"]
assert dom["head"] is None and dev["stream"] == "0x0", (dom, dev)
arm = load("smmuv3")
assert [u["kind"] for u in arm["units"]] == ["smmuv3"] * 2, arm["units"]
assert arm["units"][0]["level2"] == [] and arm["units"][0]["strtab"] == "0x44000000", arm["units"]
unit = arm["units"][1]
assert unit["level2"] == [{"stream": "0x100", "address": "0x44104000"}, {"stream": "0x8000", "address": "0x44108000"}], unit
assert [unit[name] for name in "idr0 idr1 idr3 idr5 cr1 cr2 strtab_base_cfg iidr".split()] == [
    "0x8d4101b", "0x10", "0x1400", "0x74", "0xd75", "0x6", "0x10210", "0x43b"], unit
assert [(d["format"], d["head"]) for d in arm["domains"]] == [("lpae-stage2", None), ("lpae-stage1", "0x50103000"),
    ("lpae-stage2", None)], arm["domains"]
assert [d["stream"] for d in arm["devices"]] == ["0x18", "0x100", "0x80ff"], arm["devices"]
PY
)
result "decode --json tells what was written" $? "$text"
expect 1 "offset 0x10: cut off" "a cut handover" "$asan" decode "$tmp/bad-cut.blob"
expect 1 "offset 0x0: cut off in the header" "a cut header" "$asan" decode "$tmp/bad-header.blob"
expect 1 "offset 0x30: digest does not match" "a bad digest" "$asan" decode "$tmp/bad-digest.blob"
expect 1 "offset 0x8: blob of a newer version \(value 0x63\)" "a newer version" "$asan" decode "$tmp/bad-version.blob"
expect 1 "offset 0x0" "an empty file" "$asan" decode /dev/null
expect 1 "no magic" "another file" "$asan" decode /bin/true
expect 1 "offset 0x200000: longer" "a file without an end" "$asan" decode --json /dev/zero
expect 1 "/nonexistent: No such file" "a file that is not there" "$asan" decode /nonexistent
expect 1 "Is a directory" "a directory" "$asan" decode /tmp
expect 1 "standard input" "decode - of nothing" "$asan" decode -
expect 1 "standard input: .*cut off" "decode - with stdin closed" bash -c '"$0" decode - <&-' "$asan"
cp "$tmp/one.blob" "$tmp/$(printf 'a\377b').blob"
escape=$(printf 'a\033[31mb')
expect 1 "/a\?\[31mb: No such file" "the escapes of a file name stay off the terminal" "$asan" decode "$tmp/$escape"
expect 2 "no verb '\?\[31m'" "nor do those of a word" "$asan" "$(printf '\033[31m')"
expect 0 "" "a file name that is not UTF-8" "$asan" decode --json "$tmp/$(printf 'a\377b').blob"

#
# What the kernel's answers look like, and that all of it is valid
#
checks=(ready all early late kexec image image-unknown host scalable none unknown target newer room words escapes smmuv3 smmuv3-good)
for v in list empty show freeze verify extents discard "${checks[@]/#/check-}"; do
	"$out/render" "$v" json >"$tmp/$v.json" 2>"$tmp/stderr"
	rc=$?
	verb=${v%%-*}
	[[ $v != empty ]] || verb=list
	text=$("$python" "$here/validate.py" --verb "$verb" "$tmp/$v.json" 2>&1) || rc=1
	result "$v --json is valid" "$rc" "$text$(cat "$tmp/stderr")"
	[[ $v != discard ]] || continue
	"$out/render" "$v" text >"$tmp/$v.text" 2>"$tmp/stderr"
	rc=$?
	! LC_ALL=C grep -q '[^ -~]' "$tmp/$v.text" || rc=1
	result "$v prints nothing but text" "$rc" "$(cat "$tmp/stderr")"
done
text=$("$python" - "$tmp" "${checks[@]}" <<'PY' 2>&1
import json, sys
def load(name):
    with open(f"{sys.argv[1]}/{name}.json", encoding="utf-8") as f:
        return json.load(f)
check = {name: load("check-" + name) for name in sys.argv[2:]}
def counted(name, obj=None):
    return [f["name"] for f in check[name]["findings"] if not f["later"] and obj in (None, f["object"])]
for name, c in check.items():
    assert c["ready"] == (not counted(name) and c["complete"]), name
    for d in c["devices"]:
        assert (d["verdict"] == "not-ready") == bool(counted(name, d["device"])), (name, d)
assert [n for n in check if check[n]["ready"]] == ["ready", "early", "room", "smmuv3-good"], "ready"
a = check["all"]["devices"]
words = "ready ready idle not-ready not-ready not-ready not-ready not-ready not-ready not-ready not-ready not-ready not-ready"
assert [d["verdict"] for d in a] == words.split(), [d["verdict"] for d in a]
def at(slot):
    return counted("all", f"0000:fe:{slot:02x}.0")
assert at(3) == a[3]["looked"] == a[3]["found"] and len(at(3)) == 38, at(3)
assert at(3)[-2:] == ["obstacle-36", "obstacle-63"], at(3)
found = [f for f in check["all"]["findings"] if f["object"] == "0000:fe:03.0"]
assert found[0]["text"].endswith(", driver igb has it") and found[0]["fix"] == "bind it", found[0]
assert [f["bytes"] for f in found if f["bytes"]] == [0x1000, 0x2000, 0x4000, 0x8000], found
assert found[32]["iova"] == "0x1000000000000" and a[3]["trial"]["not_kept"] == 0xf000, found[32]
assert a[3]["ats"] is True and a[0]["ats"] is False and a[5]["ats"] is None, "ats"
assert a[4]["use"] is None and at(4) == ["driver"] and a[4]["driver"] is None and a[4]["reset"] == "none", a[4]
assert at(5) == ["no-device"] and a[5]["use"] is None and a[5]["trial"] is None, a[5]
assert [at(i) for i in (6, 7, 8, 9, 10, 12)] == [["differs"], ["unreadable"], ["unknown"], ["memlock"],
    ["not-tried"], ["not-looked-at"]]
assert a[9]["memlock"] == {"pid": 4711, "need": 2**32, "limit": 2**32 - 1}, a[9]
assert a[0]["memlock"]["limit"] is None and a[2]["memlock"] is None and a[11]["memlock"] is None
assert a[1]["memlock"]["limit"] == a[1]["memlock"]["need"] and a[11]["use"] == "unknown"
early = check["early"]["findings"]
assert [(f["name"], f["later"]) for f in early] == [("interrupts", True), ("not-preserved", True)], early
late = check["late"]["findings"]
assert [(f["name"], f["later"]) for f in late] == [("interrupts", True), ("punched", False)], late
assert counted("kexec") == ["no-kernel", "target-unknown", "not-preserved-yet"], counted("kexec")
assert counted("host") == ["kho", "liveupdate", "handover", "iommu-type", "not-tried"], counted("host")
assert check["host"]["host"]["iommu"] == "amd-vi", check["host"]["host"]
assert counted("scalable") == ["scalable"] and check["scalable"]["host"]["mode"] == "scalable"
assert check["ready"]["host"]["mode"] == "legacy" and check["none"]["host"]["mode"] is None
assert counted("none") == ["no-iommu"] and check["none"]["host"]["iommu"] == "none"
u = check["unknown"]
assert counted("unknown") == ["iommu-unknown", "kernel-unknown"] and u["target"] is None and u["complete"] is False, u
assert [k for k, v in u["host"].items() if v is None] == ["scratch", "scratch_largest", "iommu", "mode",
    "kexec_loaded", "kexec_handover", "cmdline"], u["host"]
assert check["kexec"]["host"]["kexec_handover"] is None and check["ready"]["host"]["kexec_handover"] is True
assert counted("image") == ["no-handover"] and check["image"]["host"]["kexec_handover"] is False
assert counted("image-unknown") == ["handover-unknown"] and check["image-unknown"]["host"]["kexec_handover"] is None
assert counted("target") == ["target"] and check["target"]["findings"][0]["object"] == "Image"
assert counted("newer") == ["target-version", "target-room"], counted("newer")
assert check["newer"]["target"]["path"] == check["newer"]["findings"][0]["object"] == "vm?linuz"
assert counted("room") == [], counted("room")
assert counted("smmuv3") == ["target-iommu", "target-interrupts"], counted("smmuv3")
assert (check["smmuv3"]["host"]["iommu"], check["smmuv3"]["host"]["mode"]) == ("smmuv3", None), check["smmuv3"]["host"]
assert counted("smmuv3-good") == [], counted("smmuv3-good")
assert counted("words") == ["target-kho", "target-liveupdate", "target-intremap", "target-scalable"], counted("words")
freeze = load("freeze")
assert [f["name"] for f in freeze["findings"] if f["object"] == "0000:fe:02.0"] == ["idle"], freeze["findings"]
assert [bool(d["trial"]) for d in freeze["devices"]] == [i not in (2, 4, 5, 7, 10) for i in range(13)], freeze["devices"]
PY
)
result "check and freeze --json tell what was found" $? "$text"
text=$(for i in {0..12}; do "$out/render" "judge-$i" text >/dev/null 2>&1; echo $?; done | paste -sd ' ')
result "freeze: the exit code of each device" "$([[ $text == "0 0 1 1 1 1 3 3 3 0 1 1 1" ]]; echo $?)" "$text"
# says CHECK LINE: one of the lines that it prints for people is exactly that
says() {
	grep -Fqx -- "$2" "$tmp/$1.text"
	result "$1 says: $2" $? "$(grep -v '^0000' "$tmp/$1.text")"
}
says check-ready "ready at stage kexec; use and map not looked at (idle): 1 of 2"
says check-early "0000:fe:00.0: the VMM's to do: interrupts are enabled; disable them with VFIO_DEVICE_SET_IRQS"
says check-early "ready at stage early; left to the VMM: 2; target not looked at"
says check-late "not ready: 1 finding; left to the VMM: 1; target not looked at"
says check-room "ready at stage preserve; its command line not looked at"
says check-kexec "host: no kernel is loaded; kexec -s -l first"
says check-kexec "host: whether the next kernel can take over frozen devices is not known; name it with --target"
says check-kexec "not ready: 3 findings; target not looked at"
says check-image "kexec    a kernel is loaded, without the handover"
says check-image "host: the loaded kernel would not be told what is frozen; load it with kexec -s -l"
says check-all "0000:fe:03.0: it is not bound to vfio-pci, driver igb has it; bind it"
says check-all "0000:fe:03.0: this CPU cannot swap 16 bytes at once (no cmpxchg16b)"
says check-all "0000:fe:03.0: iova 0x1000000000000: not RAM (4K in all); unmap device memory (P2P)"
says check-all "0000:fe:04.0: it is not bound to vfio-pci; bind it"
says check-all "0000:fe:07.0: iova 0xfffffffff000: the live tables cannot be read; report it"
says check-all "0000:fe:09.0: the VMM (pid 4711) may lock 3.9G, the rebuild needs 4G; raise RLIMIT_MEMLOCK"
says check-host "iommu    amd-vi"
says check-target "Image: it cannot take over frozen devices; boot a kernel with CONFIG_IOMMU_FREEZE"
says check-none "target   not looked at, none is named"
says check-none "not ready: 1 finding; target not looked at; no device was looked at"
says check-unknown "scratch  not known"
says check-unknown "iommu    not looked at"
says check-unknown "kexec    not looked at whether a kernel is loaded"
says check-unknown "target   not looked at"
says check-unknown "host: whether a kernel is loaded is not known; mount sysfs"
says check-unknown "not ready: 2 findings; not all was looked at; target not looked at; no device was looked at"
says check-escapes "target   bzImage, reads handover versions 1 to 1, needs 256M in one piece; its command line: ?]0;kho=on? liveupdate=on"
says check-smmuv3 "iommu    smmuv3, units: 2"
says check-smmuv3 "Image: it has no driver for an SMMUv3; boot a kernel with CONFIG_ARM_SMMU_V3=y"
says check-words "vmlinuz: Kexec HandOver will be off with that command line; add kho=on"
says freeze "  result     not serialised"
says freeze "  result     serialised, same as the live tables"
says freeze "0000:fe:02.0: nobody has it open: nothing to serialise; start its VM"
man=$top/tools/iommu-freeze/man
text=$(cat "$tmp"/check-*.json "$tmp/freeze.json" | sed -n 's/^      "name": "\([^"]*\)",$/\1/p' | sort -u |
	grep -v '^obstacle-' | while read -r name; do
		grep -Eq "^\.It ([a-z-]+ , )*$name( |$)" "$man/iommu-freeze-check.8" "$man/iommu-freeze-freeze.8" || echo "$name"
	done)
result "the manual tells about every finding" "$((${#text} != 0))" "$text"

#
# What is read from sysfs and procfs
#
root=$tmp/root
mkdir -p "$root"/sys/{class/iommu/dmar0,class/iommu/dmar1,kernel} "$root"/sys/bus/pci/devices "$root"/drivers/{vfio-pci,igb} \
	"$root"/groups/{7,8}/devices "$root"/proc/{100,200,300,400,self}/fd
mkdir "$root/sys/kernel/kexec"
echo 1 >"$root/sys/kernel/kexec/loaded"
printf 'root=/dev/sda password=secret kho=on akho=1 kho_scratch=64M,\033256M intel_iommu=on,sm_off liveupdate=on iommu=pt -- kho=off\n' \
	>"$root/proc/cmdline"
# device PLACE GROUP DRIVER [CDEV]
device() {
	local d=$root/sys/bus/pci/devices/$1
	mkdir -p "$d"
	: >"$root/groups/$2/devices/$1"
	ln -s "../../../../../groups/$2" "$d/iommu_group"
	ln -s "../../../../../drivers/$3" "$d/driver"
	[[ -z ${4:-} ]] || mkdir -p "$d/vfio-dev/$4"
}
device 0000:02:00.0 8 vfio-pci vfio1
device 0000:01:00.0 7 vfio-pci vfio0
device 0000:01:00.1 7 igb
device 0000:03:00.0 8 vfio-pci vfio2
device 0000:04:00.0 8 vfio-pci vfio10
echo "flr bus" >"$root/sys/bus/pci/devices/0000:01:00.0/reset_method"
# process PID CAPEFF LIMIT CDEV...
process() {
	local p=$root/proc/$1 fd=3
	printf 'Name:\tvmm\nCapInh:\tffffffffffffffff\nCapEff:\t%s\n' "$2" >"$p/status"
	printf 'Limit                     Soft Limit           Hard Limit           Units\n%-25s %-20s %-20s bytes\n' \
		"Max cached memory" 1 1 "Max locked memory" "$3" unlimited >"$p/limits"
	shift 3
	ln -s /dev/null "$p/fd/0"
	for d; do ln -s "/dev/vfio/devices/$d" "$p/fd/$((fd++))"; done
}
process 100 0000000000000000 8388608 vfio0
process 200 0000000000004000 8388608 vfio0 vfio1
process 300 ffffffffffffbfff unlimited vfio2
process 400 ffffffffffffbfff 8388608 vfio11 vfio1x
process self 0 0 vfio10
"$out/render" facts json "$root" >"$tmp/facts.json" 2>"$tmp/stderr"
rc=$?
text=$("$python" "$here/validate.py" --verb check "$tmp/facts.json" 2>&1) || rc=1
result "what is read is valid" "$rc" "$text$(cat "$tmp/stderr")"
text=$("$python" - "$tmp/facts.json" <<'PY' 2>&1
import json, sys
with open(sys.argv[1], encoding="utf-8") as f:
    c = json.load(f)
host = c["host"]
assert host["cmdline"] == "kho=on kho_scratch=64M,?256M intel_iommu=on,sm_off liveupdate=on iommu=pt", host
assert (host["iommu"], host["units"], host["kexec_loaded"]) == ("vt-d", 2, True), host
dev = c["devices"]
# those bound to vfio-pci, by place
assert [d["device"] for d in dev] == [f"0000:0{i}:00.0" for i in (1, 2, 3, 4)], dev
assert (dev[0]["group"], dev[0]["group_devices"], dev[0]["reset"]) == ("7", 2, "flr bus"), dev[0]
assert (dev[1]["group"], dev[1]["group_devices"], dev[1]["reset"]) == ("8", 3, "none"), dev[1]
lock = [d["memlock"] for d in dev]
# of two the tighter one; CAP_IPC_LOCK; no limit; nobody
assert (lock[0]["pid"], lock[0]["limit"]) == (100, 8388608), lock
assert (lock[1]["pid"], lock[1]["limit"]) == (200, None), lock
assert (lock[2]["pid"], lock[2]["limit"]) == (300, None), lock
assert lock[3] is None, lock
assert [(f["object"], f["name"]) for f in c["findings"]] == [("host", "target-unknown"), ("0000:01:00.0", "memlock")], c["findings"]
PY
)
result "what sysfs and procfs tell" $? "$text"
# loaded WANTED: whether a kernel is loaded, and that it is in the way if not
loaded() {
	text=$("$out/render" facts json "$root" | grep -E '"kexec_loaded"|"name": "(no-kernel|kernel-unknown)"' | tr -d ' \n')
	result "a kernel is loaded: $1" "$([[ $text == "$1" ]]; echo $?)" "$text"
}
echo 0 >"$root/sys/kernel/kexec/loaded"
loaded '"kexec_loaded":false,"name":"no-kernel",'
mv "$root/sys/kernel/kexec/loaded" "$root/sys/kernel/kexec_loaded"
echo 1 >"$root/sys/kernel/kexec_loaded"
loaded '"kexec_loaded":true,'
rm "$root/sys/kernel/kexec_loaded"
loaded '"kexec_loaded":null,"name":"kernel-unknown",'
# scalable WANTED ECAP...: with VT-d units of these extended capabilities, - for one that cannot be read
scalable() {
	local wanted=$1 i=0 ecap
	shift
	rm -rf "$root/sys/class/iommu"
	for ecap; do
		mkdir -p "$root/sys/class/iommu/dmar$i/intel-iommu"
		[[ $ecap == - ]] || echo "$ecap" >"$root/sys/class/iommu/dmar$i/intel-iommu/ecap"
		i=$((i + 1))
	done
	text=$("$out/render" facts json "$root" | grep '^    "scalable"')
	result "scalable mode of units '$*': $wanted" "$([[ $text == "    \"scalable\": $wanted," ]]; echo $?)" "$text"
}
scalable false f00f4a f00f4a
scalable true f00f4a 80000f00f4a
scalable true -
# iommu WORD UNIT...: with these units
iommu() {
	local word=$1 unit
	shift
	rm -rf "$root/sys/class/iommu"
	for unit; do mkdir -p "$root/sys/class/iommu/$unit"; done
	text=$("$out/render" facts json "$root" | grep '^    "iommu"')
	result "IOMMU with units '$*': $word" "$([[ $text == "    \"iommu\": $word," ]]; echo $?)" "$text"
}
iommu '"amd-vi"' ivhd0 ivhd1
iommu '"smmuv3"' smmu3.0x000000002b400000
iommu '"other"' frobnicator
iommu '"other"' dmar0 ivhd0 dmar1
iommu '"none"'
rm -r "$root/sys"
iommu null
rm -r "$root/proc"
"$out/render" facts text "$root" >"$tmp/facts.text" 2>&1
says facts "cmdline  not looked at"
says facts "kexec    not looked at whether a kernel is loaded"
expect 0 "" "version --json" "$asan" version --json
text=$("$python" "$here/validate.py" --verb version "$tmp/stdout" 2>&1)
result "version --json is valid" $? "$text"
sed 's/"frozen"/"frostig"/' "$tmp/list.json" >"$tmp/wrong.json"
! "$python" "$here/validate.py" "$tmp/wrong.json" 2>/dev/null
result "the schema refuses a word that it does not know" $?

#
# Where it goes
#
expect 1 "standard output is closed" "stdout closed" bash -c '"$0" version >&-' "$asan"
for v in list check "freeze --trial 01:00.0"; do
	expect 1 "standard output is closed" "stdout closed, $v" bash -c '"$0" $1 >&-' "$asan" "$v"
done
expect 1 "No space left" "disk full" bash -c '"$0" help >/dev/full' "$asan"
expect 1 "No space left" "disk full, decode --json" bash -c '"$0" decode --json "$1" >/dev/full' "$asan" "$tmp/many.blob"
# its other end is closed before the tool begins, however slow the machine is
"$python" -c 'import os, sys
reader, writer = os.pipe()
os.close(reader)
os.dup2(writer, 1)
os.execv(sys.argv[1], sys.argv[1:])' "$asan" decode --json "$tmp/many.blob" 2>"$tmp/stderr"
rc=$?
result "a closed pipe: exit code 1, no signal" "$((rc != 1))" "exit code $rc; $(cat "$tmp/stderr")"
bash -c '"$0" frobnicate 2>&-' "$asan"
result "stderr closed" "$(($? != 2))"
if command -v script >/dev/null; then
	on_terminal() {
		script -qec "$out/render list text" "$tmp/typescript" </dev/null >/dev/null
	}
	on_terminal
	grep -q $'\033\[36mfrozen' "$tmp/typescript"
	result "colour on a terminal" $?
	NO_COLOR='' on_terminal
	grep -q $'\033\[36mfrozen' "$tmp/typescript"
	result "an empty NO_COLOR is none" $?
	NO_COLOR=1 on_terminal
	grep -q frozen "$tmp/typescript" && ! grep -q $'\033' "$tmp/typescript"
	result "NO_COLOR is honoured" $?
else
	skip "colour" "no script(1)" 3
fi

#
# What an image of a kernel tells
#
mkdir "$tmp/images"
"$python" "$here/images.py" "$tmp/images" >"$tmp/images.table"
result "images.py makes the images" $?
while IFS=$'\t' read -r name code pattern; do
	if [[ $code == skip ]]; then
		# one result when it is cut off, or what it tells as well
		skip "image $name" "$pattern" "$([[ $name == *-cut ]] && echo 1 || echo 2)"
	elif ((code)); then
		expect "$code" "$pattern" "image $name" "$out/target" "$tmp/images/$name"
	else
		expect 0 "" "image $name is read" "$out/target" "$tmp/images/$name"
		grep -Eq -- "$pattern" "$tmp/stdout"
		result "image $name: what it tells" $? "$(cat "$tmp/stdout"), not $pattern"
	fi
done <"$tmp/images.table"
expect 1 "/nonexistent: No such file" "an image that is not there" "$out/target" /nonexistent
expect 1 "Is a directory" "an image that is a directory" "$out/target" "$tmp"
expect 1 "not a regular file" "an image that is a device" "$out/target" /dev/zero
mkfifo "$tmp/fifo"
expect 1 "not a regular file" "an image that is a pipe does not block" timeout 60 "$out/target" "$tmp/fifo"
expect 1 "not a kernel image" "a program is no image" "$out/target" /bin/true
if [[ $(id -u) -eq 0 ]]; then
	cp "$out/target" "$tmp/target"
	cp "$tmp/images/vmlinux" "$tmp/secret"
	chmod 600 "$tmp/secret"
	expect 1 "secret: Permission denied" "an image that may not be read" \
		runuser -u nobody -- "$tmp/target" "$tmp/secret"
else
	skip "an image that may not be read" "not root"
fi

#
# The script that binds incoming devices: a fake sysfs, kernel and modprobe
#
bind=$top/tools/iommu-freeze/systemd/bind-incoming
mkdir -p "$tmp/bin"
# what list really prints; 0000:fe:01.0 and 0000:fe:05.0 are the ones that are frozen
"$out/render" list json >"$tmp/bin/list"
printf '#!/bin/sh\n[ "$*" = "list --incoming --json" ] || exit 2\ncat "${0%%/*}/list"\n' >"$tmp/bin/iommu-freeze"
# as the kernel does when the driver comes: the devices named in "binds" get it
cat >"$tmp/bin/modprobe" <<'SH'
#!/bin/sh
echo "$*" >>"${0%/*}/loaded"
pci=$(cat "${0%/*}/pci")
mkdir -p "$pci/drivers/vfio-pci"
for d in $(cat "${0%/*}/binds"); do ln -s ../../drivers/vfio-pci "$pci/devices/$d/driver"; done
SH
chmod +x "$tmp/bin/iommu-freeze" "$tmp/bin/modprobe"
# fake_sysfs BINDS: two devices, no driver; modprobe is going to bind those in BINDS
fake_sysfs() {
	rm -rf "$tmp/sys" "$tmp/bin/loaded"
	mkdir -p "$tmp/sys/bus/pci/drivers/igb" "$tmp/sys/bus/pci/devices/0000:fe:01.0" \
		"$tmp/sys/bus/pci/devices/0000:fe:05.0"
	echo "$tmp/sys/bus/pci" >"$tmp/bin/pci"
	echo "$1" >"$tmp/bin/binds"
}
both="0000:fe:01.0 0000:fe:05.0"
binding() { PATH=$tmp/bin:$PATH "$bind" "$tmp/sys"; }
fake_sysfs "$both"
expect 0 "" "bind-incoming loads vfio-pci" binding
[[ $(cat "$tmp/bin/loaded" 2>&1) == vfio-pci ]]
result "bind-incoming loads nothing but vfio-pci" $?
rm "$tmp/bin/loaded"
expect 0 "" "bind-incoming when they are bound" binding
[[ ! -e $tmp/bin/loaded ]]
result "bind-incoming does not load what is there" $?
fake_sysfs "0000:fe:01.0"
expect 1 "0000:fe:05.0: not bound to vfio-pci, no driver is" "bind-incoming names the one that is not bound" binding
fake_sysfs "0000:fe:05.0"
ln -s ../../drivers/igb "$tmp/sys/bus/pci/devices/0000:fe:01.0/driver"
expect 1 "0000:fe:01.0: not bound to vfio-pci but to igb" "bind-incoming names the wrong driver" binding
fake_sysfs "0000:fe:05.0"
rmdir "$tmp/sys/bus/pci/devices/0000:fe:01.0"
expect 1 "0000:fe:01.0: not there" "bind-incoming names the device that is gone" binding
fake_sysfs ""
text=$(binding 2>&1)
rc=$?
[[ $text == *fe:01.0*fe:05.0* ]] || rc=0
result "bind-incoming names all of them" "$((rc != 1))" "$text"
# a name that looks like the members that are searched for
sed -e 's/"name": .*/"name": "x\\"state\\": \\"frozen\\",",/' -e 's/"frozen"/"replaced"/' "$tmp/bin/list" >"$tmp/names"
cp "$tmp/names" "$tmp/bin/list"
fake_sysfs ""
expect 0 "" "bind-incoming is not fooled by a name" binding
"$out/render" empty json >"$tmp/bin/list"
expect 0 "" "bind-incoming when nothing is incoming" binding
[[ ! -e $tmp/bin/loaded ]]
result "bind-incoming does not load vfio-pci for nothing" $?
sed 's/"version": 1,/"version": 2,/' "$tmp/list.json" >"$tmp/bin/list"
expect 1 "cannot read this form" "bind-incoming does not guess" binding
sed 's/"bad_handover": false,/"bad_handover": true,/' "$tmp/empty.json" >"$tmp/bin/list"
expect 1 "a handover came that cannot be read" "bind-incoming tells of a handover that cannot be read" binding
printf '#!/bin/sh\necho "iommu-freeze: no" >&2\nexit 4\n' >"$tmp/bin/iommu-freeze"
expect 4 "iommu-freeze: no" "bind-incoming fails as list does" binding
if command -v shellcheck >/dev/null; then
	text=$(shellcheck "$bind" 2>&1)
	result "bind-incoming passes shellcheck" $? "$text"
else
	skip "bind-incoming passes shellcheck" "no shellcheck"
fi

#
# What comes with it
#
text=$(make -s -C "$top/tools/iommu-freeze" lint 2>&1)
result "manual pages pass mandoc -Tlint" $? "$text"
for v in list show check freeze verify extents discard decode version help; do
	[[ -s $top/tools/iommu-freeze/man/iommu-freeze-$v.8 ]]
	result "manual page of $v" $?
	# what --help offers is in the manual, and the other way round
	diff <("$tool" help "$v" | grep -o -- '  -[-a-z]*\|, --[a-z]*' | tr -d ' ,' | sort -u) \
		<(sed -n 's/^\.It //p' "$top/tools/iommu-freeze/man/iommu-freeze-$v.8" | grep -o 'Fl [-a-z]*' |
		sed 's/Fl /-/' | sort -u) >"$tmp/diff"
	result "manual page and --help of $v have the same options" $? "$(cat "$tmp/diff")"
done
# The examples, as printed: with commands that stand in for what cannot be here, and a tool that is asked
# whether it understands what it is told (4: it found no kernel that does) and says what it would have.
examples() {
	local page name rc
	mkdir "$tmp/examples"
	cat >"$tmp/examples/iommu-freeze" <<'SH'
#!/bin/bash
echo "$*" >>"$EXAMPLES/ran"
[[ $1 != decode ]] || exec "$ASAN" "$@"
"$ASAN" "$@" 2>"$EXAMPLES/said"
(($? == 4)) || { cat "$EXAMPLES/said" >&2; exit 9; }
[[ $* != *--json* ]] || cat "$EXAMPLES/../$1.json"
SH
	printf '#!/bin/sh\necho "systemctl $*" >>"$EXAMPLES/ran"\n' >"$tmp/examples/systemctl"
	chmod +x "$tmp/examples/iommu-freeze" "$tmp/examples/systemctl"
	cp "$tmp/many.blob" "$tmp/examples/handover.bin"
	cp "$tmp/check-all.json" "$tmp/check.json"
	for page in "$man"/*.8; do
		name=$(basename "$page" .8)
		mandoc -Tascii "$page" | sed $'s/.\b//g' | sed -n '/^EXAMPLES/,/^[A-Z]/{/^ /p}' | sed -n 's/^  *[#$] //p; /^            /p' >"$tmp/examples/script"
		grep -q '^\.Sh EXAMPLES' "$page" || continue
		: >"$tmp/examples/ran"
		text=$(cd "$tmp/examples" && EXAMPLES=$tmp/examples ASAN=$asan PATH=$tmp/examples:$PATH bash -euo pipefail script 2>&1)
		rc=$?
		[[ $(grep -c . "$tmp/examples/ran") -ge $(grep -c '^[#$] \|^\.Dl [#$]' "$page") ]] || { rc=1; text+=" not all was run"; }
		result "the examples of $name" "$rc" "$text"
	done
	text=$(sed -n '/^# iommu-freeze check --json/,/^\.Ed/{s/^# //;/^\.Ed/d;s/\\(aq/'\''/g;p}' "$man/iommu-freeze-check.8")
	text=$(cd "$tmp/examples" && EXAMPLES=$tmp/examples ASAN=$asan PATH=$tmp/examples:$PATH bash -c "$text" | sort -u | grep -c "^0000:fe:04.0 driver$")
	result "the example with jq names a device and what is in its way" "$((text != 1))" "$text"
}
if [[ -e /dev/iommu-freeze ]]; then
	skip "the examples" "/dev/iommu-freeze is here" 9
else
	examples
fi
complete_bash() {
	bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _iommu_freeze; echo "${COMPREPLY[@]}"' \
		"$out/tool/completion/bash" "$@" 2>&1
}
text=$(bash -n "$out/tool/completion/bash" 2>&1)
result "bash completion loads" $? "$text"
text=$(complete_bash iommu-freeze ver)
result "bash completion of verbs" "$([[ $text == "verify version" ]]; echo $?)" "$text"
text=$(complete_bash iommu-freeze verify --in)
result "bash completion of options" "$([[ $text == --incoming ]]; echo $?)" "$text"
text=$(complete_bash iommu-freeze check --st)
result "bash completion of --stage" "$([[ $text == --stage ]]; echo $?)" "$text"
for a in "--stage " "--stage = "; do
	text=$(complete_bash iommu-freeze check $a "")
	result "bash completion of ${a}VALUE" "$([[ $text == "early preserve kexec" ]]; echo $?)" "$text"
done
text=$(complete_bash iommu-freeze check --stage =)
result "bash completion right after --stage=" "$([[ $text == "early preserve kexec" ]]; echo $?)" "$text"
text=$(complete_bash iommu-freeze check --stage = k)
result "bash completion of --stage=k" "$([[ $text == kexec ]]; echo $?)" "$text"
text=$(complete_bash iommu-freeze check --target "$tmp/many.")
result "bash completion of --target" "$([[ $text == "$tmp"/many.*" $tmp/many."* ]]; echo $?)" "$text"
text=$(complete_bash iommu-freeze freeze --t)
result "bash completion of --trial" "$([[ $text == --trial ]]; echo $?)" "$text"
first=$(ls /sys/bus/pci/devices 2>/dev/null | head -1)
if [[ $first ]]; then
	text=$(complete_bash iommu-freeze show "${first%%:*}" : "$(cut -d: -f2 <<<"$first")" : "${first##*:}")
	result "bash completion of devices" "$([[ $text == "${first##*:}" ]]; echo $?)" "$text"
else
	skip "bash completion of devices" "no PCI devices here"
fi
if command -v zsh >/dev/null; then
	text=$(zsh -n "$out/tool/completion/zsh" 2>&1)
	result "zsh completion loads" $? "$text"
else
	skip "zsh completion loads" "no zsh"
fi
text=$(make -s -C "$top/tools/iommu-freeze" install out="$out/tool" PREFIX=/usr DESTDIR="$tmp/dest" 2>&1)
result "make install" $? "$text"
text=$(cd "$tmp/dest" && find . -type f -o -type l | wc -l)
result "make install: tool, 11 manual pages, 2 completions, schema, 2 units and their script" "$((text != 18))" "$text files"

#
# The units, where their paths are right
#
units=$tmp/prefix/lib/systemd/system
text=$(make -s -C "$top/tools/iommu-freeze" install out="$out/tool" PREFIX="$tmp/prefix" 2>&1)
result "make install PREFIX=" $? "$text"
text=$(grep -n '@' "$units"/*.service)
result "the units have no place left open" "$((${#text} != 0))" "$text"
if command -v systemd-analyze >/dev/null; then
	for u in check bind; do
		text=$(systemd-analyze verify --man=no "$units/iommu-freeze-$u.service" 2>&1)
		rc=$?
		result "systemd-analyze verify iommu-freeze-$u.service" "$((rc || ${#text}))" "$text"
	done
else
	skip "systemd-analyze verify" "no systemd-analyze" 2
fi
systemd=/lib/systemd/systemd
if [[ -x $systemd && $(id -u) -eq 0 ]] && command -v systemctl >/dev/null; then
	# enabled in the folder that they were installed to, not here
	text=$(systemctl --root="$tmp/dest" enable iommu-freeze-check.service iommu-freeze-bind.service 2>&1)
	result "systemctl enable" $? "$text"
	cp -a "$tmp/dest"/etc/systemd/system/* "$units/"
	# jobs UNIT: units and jobs that starting UNIT would make. It starts nothing; as a plain user only.
	jobs_of() {
		runuser -u nobody -- env SYSTEMD_UNIT_PATH="$units:" timeout 60 "$systemd" --test --system \
			--no-pager --unit="$1" >"$tmp/jobs.$1" 2>&1
	}
	# relation A WORD B: unit A has it
	relation() {
		awk -v unit="-> Unit $1:" -v want="$2: $3" '$0 ~ "-> Unit " { on = index($0, unit) }
			on && index($0, want) { found = 1 } END { exit !found }' "$tmp/jobs.$4"
	}
	jobs_of kexec.target
	result "systemd tells the transaction of a kexec" $? "$(tail -3 "$tmp/jobs.kexec.target")"
	grep -q 'Action: iommu-freeze-check.service -> start' "$tmp/jobs.kexec.target"
	result "a kexec starts the check" $?
	relation systemd-kexec.service Requires iommu-freeze-check.service kexec.target &&
		relation systemd-kexec.service After iommu-freeze-check.service kexec.target
	result "the kexec itself needs the check and comes after it" $?
	relation shutdown.target After iommu-freeze-check.service kexec.target
	result "the shutdown goes no further before the check is done" $?
	! relation iommu-freeze-check.service Conflicts shutdown.target kexec.target
	result "the shutdown does not stop the check" $?
	for t in reboot poweroff halt; do
		jobs_of $t.target && grep -q 'Action: shutdown.target -> start' "$tmp/jobs.$t.target" &&
			! grep -q 'iommu-freeze-check.service -> ' "$tmp/jobs.$t.target"
		result "$t does not start the check" $?
	done
	jobs_of multi-user.target
	grep -q 'Action: iommu-freeze-bind.service -> start' "$tmp/jobs.multi-user.target" &&
		! grep -q 'iommu-freeze-check.service -> ' "$tmp/jobs.multi-user.target"
	result "a boot starts the binding and not the check" $?
	relation sysinit.target After iommu-freeze-bind.service multi-user.target &&
		relation basic.target After sysinit.target multi-user.target
	result "what is ordinary comes after the binding" $?
else
	skip "the transactions of systemd" "no systemd, or not root" 11
fi

#
# valgrind and the fuzzers
#
vg=(valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=definite,indirect,possible)
for a in "decode $tmp/many.blob" "decode --json $tmp/many.blob" "help" "version --json"; do
	text=$("${vg[@]}" "$tool" $a 2>&1 >/dev/null)
	result "valgrind: ${a/"$tmp/"/}" $? "$text"
done
for a in "list -d 8086:" "show 01:00.0 02:00.0" "check --stage=early --target x 01:00.0" "freeze --trial -s 1:" \
	"freeze 01:00.0" "check --stage x" "decode $tmp/bad-digest.blob" "list --incoming --outgoing"; do
	text=$("${vg[@]}" "$tool" $a 2>&1 >/dev/null)
	rc=$?
	result "valgrind: ${a/"$tmp/"/}" "$((rc == 99))" "$text"
done

for b in bz-gz bz-none bz-xz bz-zst bz-xz-cut bz-gz-garbage image-gz zboot vmlinux-hostile empty; do
	[[ -f $tmp/images/$b ]] || { skip "valgrind: image $b" "not made"; continue; }
	text=$("${vg[@]}" "$out/target-plain" "$tmp/images/$b" 2>"$tmp/stderr")
	result "valgrind: image $b" "$(($? == 99))" "$(cat "$tmp/stderr")"
done

# shellcheck source=tests/fuzz/libfuzzer.sh
. "$top/tests/fuzz/libfuzzer.sh"
fuzz_seed
mkdir -p "$tmp/seeds" "$tmp/seeds-target"
for b in "$tmp"/*.blob; do
	# the first byte: as it is, digest made right, and with JSON
	for mode in 0 1 3; do
		{ printf "\\x0$mode"; cat "$b"; } >"$tmp/seeds/$(basename "$b")-$mode"
	done
done
fuzz "$out" decode "$fuzz_seconds" 65536 1024 "$tmp/seeds"
result "fuzz decode" $?
find "$tmp/images" -type f -size -60k -exec cp {} "$tmp/seeds-target" ';'
# an xz or lzma file may ask for 1 GiB at once
fuzz "$out" target "$fuzz_seconds" 65536 2560 "$tmp/seeds-target"
result "fuzz target" $?

echo "1..$n"
exit $failed
