#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Counts test results over several programs. All their output is passed on as it is; one log per part
# and its counts ("passed failed skipped") are kept in out/tally/. Only one run at a time.
set -euo pipefail

dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/out/tally

usage() {
	cat <<END
Usage: tests/lib/tally.sh start               forget what was counted
       tests/lib/tally.sh part NAME CMD...    run CMD and count its lines "ok N" and "not ok N"
       tests/lib/tally.sh step NAME CMD...    run CMD as one test: passed when it exits 0
       tests/lib/tally.sh sum                 print "N passed, N failed"; exit 1 unless all passed

'part' also counts a failure when CMD counts none but exits other than 0, prints no result at all,
or prints fewer results than its plan ("1..N") promised. Skipped tests are told, never counted as passed.
END
}

# count LOG EXIT-CODE -> "passed failed skipped"; says on stderr what it adds
count() {
	awk -v rc="$2" -v name="$3" '
	/^1\.\.[0-9]+/		{ planned += substr($1, 4) + 0; next }
	/^ok [0-9]+.*# *SKIP/	{ skipped++; next }
	/^ok [0-9]+/		{ passed++; next }
	/^not ok [0-9]+/	{ failed++; next }
	function add(why)	{ print "not ok 0 - " name ": " why > "/dev/stderr"; failed++ }
	END {
		seen = passed + failed + skipped
		if (!seen)
			add("no test ran (exit code " rc ")")
		else if (planned > seen)
			add("only " seen " of " planned " tests reported (exit code " rc ")")
		else if (rc && !failed)
			add("exit code " rc " though no test failed")
		print passed + 0, failed + 0, skipped + 0
	}' "$1"
}

case ${1:-} in
start)
	rm -rf "$dir"
	mkdir -p "$dir"
	;;
part|step)
	(($# >= 3)) || { usage >&2; exit 2; }
	mode=$1 name=$2
	shift 2
	mkdir -p "$dir"
	echo "# $name"
	rc=0
	"$@" 2>&1 | tee "$dir/$name.log" || rc=${PIPESTATUS[0]}
	if [[ $mode == part ]]; then
		count "$dir/$name.log" "$rc" "$name" >"$dir/$name.count"
	elif ((rc)); then
		echo "not ok 1 - $name (exit code $rc)"
		echo "0 1 0" >"$dir/$name.count"
	else
		echo "ok 1 - $name"
		echo "1 0 0" >"$dir/$name.count"
	fi
	;;
sum)
	cat "$dir"/*.count 2>/dev/null | awk '
	{ passed += $1; failed += $2; skipped += $3 }
	END {
		if (skipped)
			print skipped " skipped"
		printf "%d passed, %d failed\n", passed, failed
		exit failed || !passed
	}'
	;;
--help|-h)
	usage
	;;
*)
	usage >&2
	exit 2
	;;
esac
