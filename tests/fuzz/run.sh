#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs the fuzz targets one after the other and prints TAP. Called by the
# Makefile beside it: run.sh OUT BLOB_SECONDS WALK_SECONDS
set -euo pipefail

if [ $# -ne 3 ]; then
	echo "usage: run.sh OUT BLOB_SECONDS WALK_SECONDS (use: make -C tests/fuzz check)" >&2
	exit 2
fi
out=$1
failed=0
"$out/seed" "$out/seeds"

# Says every 10 seconds how far a target is.
run_target() {
	local number=$1 target=$2 seconds=$3 max_len=$4 what=$5
	local log=$out/$target.log start=$SECONDS elapsed pid status=0 runs new

	new=$out/corpus-$target
	mkdir -p "$new" "$out/broken"
	echo "# fuzz $what: $seconds s, log in $log"
	# The seed makes a failure on one machine happen on the others.
	"$out/fuzz-$target" -seed=1 -max_total_time="$seconds" -max_len="$max_len" \
		-timeout=30 -rss_limit_mb=1024 -print_final_stats=1 \
		-artifact_prefix="$out/broken/$target-" \
		"$new" "$out/seeds/$target" >"$log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		elapsed=$((SECONDS - start))
		if ((elapsed % 10 == 0 && elapsed < seconds)); then
			echo "# fuzz $what: $elapsed of $seconds s"
		fi
	done
	wait "$pid" || status=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	if [ "$status" -eq 0 ] && [ "${runs:-0}" -gt 0 ]; then
		echo "ok $number - fuzz $what: $runs runs in $seconds s"
		return
	fi
	failed=1
	grep -E 'ERROR|SUMMARY|runtime error|^fuzz-|Test unit written' "$log" |
		head -20 | sed 's/^/# /' || true
	echo "not ok $number - fuzz $what: see $log; the input is in $out/broken/," \
		"run it with $out/fuzz-$target FILE"
}

echo 1..2
run_target 1 blob "$2" 65536 "blob parser"
run_target 2 walk "$3" 1024 "walk and compare"
exit $failed
