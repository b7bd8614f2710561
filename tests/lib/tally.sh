#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Counts test results over several programs. All their output is passed on as it is; one log per part
# and its results (NAME.json) are kept in out/tally/, and the sum of all in out/tally/sum.json. Only
# one run at a time.
set -euo pipefail

out=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/out
dir=$out/tally

usage() {
	cat <<END
Usage: tests/lib/tally.sh start PART...       forget what was counted; the sum wants all these parts
       tests/lib/tally.sh part NAME CMD...    run CMD and count its lines "ok N" and "not ok N"
       tests/lib/tally.sh behind NAME CMD...  start CMD, a step that is no test; its output goes to out/NAME.log
       tests/lib/tally.sh wait NAME           wait for that step; exit 1 when it failed
       tests/lib/tally.sh stop                end the steps that are still running
       tests/lib/tally.sh sum                 print the parts and "N passed, N failed"; exit 1 unless all passed

'part' also counts a failure when CMD counts none but exits other than 0, prints no result at all, or
prints another number of results than its plan ("1..N") says. A step that failed and a part that did
not run are failures. Skipped tests ("# SKIP why") are told, never counted as passed; so is what
needed more than one attempt ("# attempts=2: why").
END
}

# results LOG EXIT-CODE NAME -> lines "status<TAB>name<TAB>attempts<TAB>reason"; says what it adds
results() {
	awk -v rc="$2" -v part="$3" '
	function put(status, name, attempts, reason)	{ print status "\t" name "\t" attempts "\t" reason }
	function add(why) {
		print "not ok 0 - " part ": " why > "/dev/stderr"
		put("failed", why, 1, "")
		failed++
	}
	/^1\.\.[0-9]+/		{ planned += substr($1, 4) + 0; plan = 1; next }
	!/^(not )?ok [0-9]+/	{ next }
	{
		status = /^not/ ? "failed" : "passed"
		attempts = 1
		reason = ""
		gsub(/\t/, " ")
		sub(/^(not )?ok [0-9]+ *(- *)?/, "")
		name = $0
		if (match(name, /# *([Ss][Kk][Ii][Pp]|attempts=[0-9]+)/)) {
			reason = substr(name, RSTART + RLENGTH)
			directive = substr(name, RSTART, RLENGTH)
			name = substr(name, 1, RSTART - 1)
			sub(/^:? */, "", reason)
			sub(/ +$/, "", name)
			if (sub(/.*attempts=/, "", directive))
				attempts = directive + 0
			else if (status == "passed")
				status = "skipped"
		}
		# some harnesses put the name behind the word
		if (name == "") {
			name = reason
			reason = ""
		}
		seen++
		failed += status == "failed"
		put(status, name, attempts, reason)
	}
	END {
		if (!seen)
			add("no test ran (exit code " rc ")")
		else if (plan && planned != seen)
			add(seen " results where " planned " were announced (exit code " rc ")")
		else if (rc && !failed)
			add("exit code " rc " though no test failed")
	}' "$1"
}

# save NAME SECONDS: the results on stdin as NAME.json
save() {
	jq -Rn --arg name "$1" --argjson seconds "$2" '
	[inputs / "\t" | { status: .[0], name: .[1], attempts: (.[2] | tonumber), reason: .[3] }] as $all |
	def with(status): $all | map(select(.status == status));
	{
		name: $name, seconds: $seconds,
		passed: with("passed") | length, failed: with("failed") | length, skipped: with("skipped") | length,
		failures: with("failed") | map({ name, reason }),
		skips: with("skipped") | map({ name, reason }),
		retried: $all | map(select(.attempts > 1) | { name, attempts, reason })
	}' >"$dir/$1.json"
}

part() {
	local name=$1 rc=0 start=$SECONDS
	shift
	mkdir -p "$dir"
	echo "# $name"
	"$@" 2>&1 | tee "$dir/$name.log" || rc=${PIPESTATUS[0]}
	results "$dir/$name.log" "$rc" "$name" | save "$name" $((SECONDS - start))
}

behind() {
	local name=$1 owner=$PPID
	shift
	mkdir -p "$dir"
	rm -f "$dir/$name.ended"
	echo "# $name: behind the tests, log in out/$name.log"
	# A group of its own, so that all of it can be ended; it also ends when who started it is gone,
	# however that went.
	# shellcheck disable=SC2016
	setsid nice bash -c 'ended=$1 owner=$2; shift 2; rc=0
		(while kill -0 "$owner" 2>/dev/null; do sleep 1; done; kill -- -$$) &
		watch=$!
		"$@" || rc=$?
		echo "$rc $SECONDS" >"$ended.new"; mv "$ended.new" "$ended"; kill "$watch"' \
		tally-behind "$dir/$name.ended" "$owner" "$@" </dev/null >"$out/$name.log" 2>&1 &
	echo $! >"$dir/$name.pid"
}

# running NAME: its step has not ended
running() {
	local pid
	[[ ! -f $dir/$1.ended ]] || return 1
	pid=$(cat "$dir/$1.pid")
	# another process may have that number by now; at the very start it is still this script
	grep -qszE '^(tally-)?behind$' "/proc/$pid/cmdline"
}

await() {
	local name=$1 rc seconds said=$SECONDS
	[[ -f $dir/$name.pid ]] || { echo "tally: error: no step '$name' was started" >&2; exit 2; }
	echo "# $name: waiting for it, log in out/$name.log"
	while running "$name"; do
		sleep 0.5
		((SECONDS - said >= 10)) || continue
		said=$SECONDS
		echo "# $name: $(tail -n 1 "$out/$name.log")"
	done
	read -r rc seconds 2>/dev/null <"$dir/$name.ended" || { rc=killed; seconds=0; }
	rm "$dir/$name.pid"
	jq -n --arg name "$name" --arg rc "$rc" --argjson seconds "$seconds" \
		'{ name: $name, seconds: $seconds, step: true, failed: (if $rc == "0" then 0 else 1 end) }' >"$dir/$name.json"
	[[ $rc != 0 ]] || { echo "# $name: done, it took $seconds s"; return 0; }
	tail -n 60 "$out/$name.log" | sed 's/^/# /'
	echo "# $name: failed (exit code $rc), log in out/$name.log"
	return 1
}

stop() {
	local pid
	for pid in "$dir"/*.pid; do
		[[ -f $pid ]] || continue
		if running "$(basename "$pid" .pid)"; then kill -- "-$(cat "$pid")" || true; fi
		rm "$pid"
	done
}

sum() {
	local name
	[[ -f $dir/parts ]] || { echo "tally: error: nothing to sum: 'tally.sh start PART...' comes first" >&2; exit 2; }
	local commit
	commit=$(git -c safe.directory='*' -C "$out/.." describe --always --dirty 2>/dev/null) || commit=unknown
	while read -r name; do
		[[ -f $dir/$name.json ]] || jq -n --arg name "$name" \
			'{ name: $name, seconds: 0, did_not_run: true, failed: 1 }' >"$dir/$name.json"
		cat "$dir/$name.json"
	done <"$dir/parts" | jq -s --arg commit "$commit" '
	{ commit: $commit, passed: map(.passed // 0) | add, failed: map(.failed) | add, skipped: map(.skipped // 0) | add,
	  retried: map(.retried // [] | length) | add, parts: . }' >"$dir/sum.json"
	jq -r '
	def right(n): tostring | " " * (n - length) + .;
	def left(n): . + " " * (n - length);
	# one line for results that are the same
	def times: group_by([.name, .attempts, .reason]) | map(.[0].count = length | .[0])[];
	def lines: .name + (if .count > 1 then " (\(.count))" else "" end) +
		(if .attempts then ", \(.attempts) attempts" else "" end) +
		(if .reason == "" then "" else ": " + .reason end);
	"",
	"commit \(.commit)",
	(.parts[] | (.name | left(11)) +
		if .did_not_run then "    did not run"
		elif .step then (if .failed > 0 then "    failed" else "    done" end) | left(40)
		else "\(.passed | right(5)) passed, \(.failed) failed" +
			(if .skipped > 0 then ", \(.skipped) skipped" else "" end) | left(40)
		end + if .did_not_run then "" else "\(.seconds | right(5)) s" end),
	(.parts[] | .name as $part | .failures // [] | .[] | "failed: \($part): \(.name)" + if .reason == "" then "" else " (\(.reason))" end),
	"skipped: \(.skipped)",
	(.parts[] | .name as $part | .skips // [] | times | "  \($part): " + lines),
	"more than one attempt: \(.retried)",
	(.parts[] | .name as $part | .retried // [] | times | "  \($part): " + lines),
	"\(.passed) passed, \(.failed) failed"' "$dir/sum.json"
	jq -e '.failed == 0 and .passed > 0' "$dir/sum.json" >/dev/null
}

verb=${1:-}
shift || true
case $verb in
start)
	(($# >= 1)) || { usage >&2; exit 2; }
	stop
	rm -rf "$dir"
	mkdir -p "$dir"
	printf '%s\n' "$@" >"$dir/parts"
	;;
part | behind)
	(($# >= 2)) || { usage >&2; exit 2; }
	"$verb" "$@"
	;;
wait)
	(($# == 1)) || { usage >&2; exit 2; }
	await "$1"
	;;
stop | sum)
	"$verb"
	;;
--help | -h)
	usage
	;;
*)
	usage >&2
	exit 2
	;;
esac
