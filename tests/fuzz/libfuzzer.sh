#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs one libFuzzer target for some seconds. Sourced by the run.sh here and in tests/tool.

# fuzz_seed: sets seed to $FUZZ_SEED, or to a new one
fuzz_seed() {
	seed=${FUZZ_SEED:-}
	# 0 would let libFuzzer choose, and nobody would know what
	[[ $seed ]] || seed=$((16#$(od -An -N4 -tx4 /dev/urandom | tr -d ' ') % 0xfffffffe + 1))
	if ! [[ $seed =~ ^[1-9][0-9]{0,9}$ ]] || ((seed > 0xffffffff)); then
		echo "FUZZ_SEED=$seed: a number from 1 to 4294967295" >&2
		exit 2
	fi
}

# fuzz OUT NAME SECONDS MAX_LEN MEGABYTES SEEDS...: runs OUT/fuzz-NAME, whose first inputs are in the
# folders SEEDS, with $seed. Returns 0 when it ran and found nothing. What it learns is kept in
# OUT/corpus-NAME, what breaks the target in OUT/broken.
fuzz() {
	local out=$1 name=$2 seconds=$3 max_len=$4 megabytes=$5 log=$1/fuzz-$2.log start=$SECONDS
	local pid status=0 elapsed said=0 runs
	shift 5
	mkdir -p "$out/corpus-$name" "$out/broken"
	echo "# fuzz $name: $seconds s, FUZZ_SEED=$seed, log in $log"
	"$out/fuzz-$name" -seed="$seed" -max_total_time="$seconds" -max_len="$max_len" -timeout=30 \
		-rss_limit_mb="$megabytes" -print_final_stats=1 -artifact_prefix="$out/broken/$name-" \
		"$out/corpus-$name" "$@" >"$log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.5
		elapsed=$((SECONDS - start))
		((elapsed - said >= 5 && elapsed < seconds)) || continue
		said=$elapsed
		echo "# fuzz $name: $elapsed of $seconds s"
	done
	wait "$pid" || status=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	echo "# fuzz $name: ${runs:-0} runs"
	((status == 0 && ${runs:-0} > 0)) && return
	grep -E 'ERROR|SUMMARY|runtime error|^fuzz-|Test unit written' "$log" | head -n 20 | sed 's/^/# /'
	echo "# the input is in $out/broken/, run it with $out/fuzz-$name FILE; from the start: FUZZ_SEED=$seed"
	return 1
}
