#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Breaks the kernel in one place at a time and looks whether a scenario finds out.
#
# A mutant is tests/mutants/NAME.patch, against the files of this repository: one sentence that says what
# is broken, then
#   Scenario: NAME [NAME...]   the first one must fail, the others should
#   Reason: REGEX              optional: one of the reasons has to match, so that it is not by chance
# and the diff. All happens in copies of the checkout; kernels are built incrementally in the usual cache.
# While one mutant's machine runs the next one's kernel is built, so two are under way at a time. Silences
# mean little on such a machine: no mutant counts as killed by a silence alone.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
out=$repo/out/mutants
# A mutant that met another kernel or another seed each time would prove little.
unset HIL_KERNEL HIL_COVERAGE HIL_PROGRAMS
export HIL_SEED=${HIL_SEED:-1}
# Some mutants end in a machine that stands still. A scenario that has its own time needs it.
timeout=${HIL_TIMEOUT:-240}
unset HIL_TIMEOUT

usage() {
	cat <<END
Usage: tests/mutants/run.sh [--baseline] [--rest] [--every] [NAME...]
       tests/mutants/run.sh --list | --check | --help

Builds each mutant (all if none is named), runs its scenario and prints KTAP: a mutant that no scenario
finds lives, and is not ok. out/mutants/ gets table.txt and for each mutant a folder with the logs.

  --baseline  first run each scenario once on the unbroken kernel, instead of believing 'make test'
  --rest      leave out the mutants that out/mutants/ has as killed
  --every     run all scenarios of a mutant, each must fail
  --list      print names, scenarios and what is broken
  --check     only look whether the patches apply and their scenarios exist

Exit: 0 all killed, 1 some live or could not be tried, 2 wrong usage.
END
}

say() { printf '# %s\n' "$*" >&2; }
die() { printf 'mutants: error: %s\n' "$*" >&2; exit 2; }

# header KEY NAME -> its value
header() { sed -n "/^diff /q; s/^$1: //p" "$here/$2.patch"; }
sentence() { head -n 1 "$here/$1.patch"; }

list() {
	local name
	for name in "${all[@]}"; do
		printf '%-28s %-40s %s\n' "$name" "$(header Scenario "$name")" "$(sentence "$name")"
	done
}

# copy DIR: the checkout as it is, committed or not
copy() {
	local f
	mkdir "$1"
	git -C "$repo" ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' f; do
		if [[ -e $repo/$f || -L $repo/$f ]]; then printf '%s\0' "$f"; fi
	done | tar -C "$repo" --null -T - -cf - | tar -C "$1" -xf -
}

# apply NAME [OPTION...]: git apply in the copy $src, which lies in nobody's repository
apply() {
	(cd "$src" && GIT_CEILING_DIRECTORIES=$work git apply -p1 "${@:2}" "$here/$1.patch")
}

# flaw NAME -> why it cannot be tried; nothing if it can
flaw() {
	local scenario scenarios err
	scenarios=$(header Scenario "$1")
	[[ -n $(sentence "$1") && $(sentence "$1") != diff* ]] || { echo "its first line does not say what is broken"; return; }
	[[ -n $scenarios ]] || { echo "it has no line 'Scenario: NAME'"; return; }
	for scenario in $scenarios; do
		[[ -n ${known[$scenario]:-} ]] || { echo "there is no scenario $scenario"; return; }
	done
	err=$(apply "$1" --check 2>&1) || echo "it does not apply: $(head -n 1 <<<"$err")"
}

# What a machine that shares its processors says now and then, mutant or not.
silence='no silence is longer|it fell silent'

# try SCENARIO DIR: sets verdict (passed, failed or error), reasons (an array) and seconds
try() {
	local scenario=$1 dir=$2 rc=0 begin=$SECONDS limit=("HIL_TIMEOUT=$timeout")
	mkdir -p "$dir"
	! grep -q '^TIMEOUT=' "$src/tests/hil/scenarios/$scenario" || limit=()
	env "${limit[@]}" "$src/tests/hil/run.py" "$scenario" >"$dir/$scenario.ktap" 2>"$dir/$scenario.log" </dev/null || rc=$?
	seconds=$((SECONDS - begin))
	for f in "$src/out/hil/$scenario".*; do mv "$f" "$dir/"; done
	mapfile -t reasons < <(sed -n "s/^# $scenario: //p" "$dir/$scenario.ktap")
	if ((rc == 0)) && grep -q "^ok 1 - $scenario\b" "$dir/$scenario.ktap"; then
		verdict=passed
	elif ((rc == 1)) && ((${#reasons[@]})) && [[ ${reasons[0]} != 'the machine failed twice' ]]; then
		verdict=failed
	else
		# neither is a kill: a kernel that cannot be built, an emulator that gives up
		verdict=error
		[[ -n ${reasons[0]:-} ]] || mapfile -t reasons < <(grep -hE 'error:|Error' "$dir/$scenario.log" | head -n 1)
		[[ -n ${reasons[0]:-} ]] || reasons=("exit $rc without a reason, see ${dir#"$repo"/}/$scenario.log")
	fi
}

# given_up PATH: was the machine cut off, and said nothing by then that a sound kernel would not say? One that
# is slow fails like one that stands still; "Reason: came to its end" is for a mutant that makes it do so.
given_up() { [[ -e $1.stuck.log ]] && ! grep -q 'kernel_reports == 0 (is False)' "$1.ktap"; }

# judge NAME: sets result (killed, lives or error), by, why and took
judge() {
	local name=$1 dir=$out/$1 scenario reason want
	result=lives by='' why='' took=0
	want=$(header Reason "$name")
	apply "$name"
	for scenario in $(header Scenario "$name"); do
		try "$scenario" "$dir"
		took=$((took + seconds))
		by=$scenario why=${reasons[0]:-}
		if [[ $verdict == failed && -n $want ]]; then
			why=
			for reason in "${reasons[@]}"; do
				if [[ $reason =~ $want ]]; then why=$reason; break; fi
			done
			if [[ -z $why ]]; then
				verdict=passed
				why="fails, but not for /$want/: ${reasons[0]}"
			fi
		fi
		case $verdict in
		failed)
			result=killed
			if ! printf '%s\n' "${reasons[@]}" | grep -qvE "$silence"; then
				result=lives
				why="nothing but a silence: ${reasons[0]}"
				break
			fi
			if given_up "$dir/$scenario" && [[ -z $want || $why != *'came to its end'* ]]; then
				result=error
				why="it was given up for its time: all that it did not come to is missing"
				break
			fi ;;
		passed)	result=lives; break ;;
		error)	result=error; break ;;
		esac
		if [[ -z $every ]]; then break; fi
	done
	apply "$name" -R
}

# table: what is known of all mutants, the present run's and what earlier ones left, as Markdown
table() {
	local name result by took commit why
	printf '| mutant | what is broken | result | scenario | first reason | commit | s |\n|---|---|---|---|---|---|---|\n'
	for name in "${all[@]}"; do
		[[ -s $out/$name/result ]] || continue
		IFS=$'\t' read -r result by took commit why <"$out/$name/result"
		((${#why} <= 120)) || why=${why:0:117}...
		printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$name" "$(sentence "$name")" "$result" "$by" "${why//|/\\|}" "$commit" "$took"
	done
}

# keep_cut_off: what a machine said that was cut off is all that tells why it took so long
keep_cut_off() {
	local left=("$work"/src?/out/hil/*)
	((${#left[@]})) || return 0
	mkdir -p "$out/cut-off"
	mv -f "${left[@]}" "$out/cut-off/"
}

# next: the number of the next mutant that nobody has taken yet; fails after the last
next() {
	local n
	{
		flock 8
		n=$(<"$work/taken")
		((n < ${#names[@]})) || return 1
		echo $((n + 1)) >"$work/taken"
	} 8>"$work/lock"
	echo "$n"
}

# worker DIR: takes one mutant after the other, in its own copy
worker() {
	local src=$1 name n why verdict seconds reasons result by took line
	copy "$src"
	export HIL_PROGRAMS=$src.programs
	while n=$(next); do
		name=${names[n]}
		rm -rf "${out:?}/$name"
		mkdir -p "$out/$name"
		read -r by why < <(header Scenario "$name") || true
		say "$((n + 1)) of ${#names[@]}: $name: ${by:-}"
		took=0
		why=$(flaw "$name")
		why=${why:-${broken[${by:-none}]:-}}
		if [[ -n $why ]]; then
			result=error
		else
			judge "$name"
		fi
		case $result in
		killed)	line="ok $((n + 1)) - $name killed by $by: $why" ;;
		lives)	line="not ok $((n + 1)) - $name lives${why:+: $by $why}" ;;
		error)	line="not ok $((n + 1)) - $name error: $why" ;;
		esac
		printf '%s\t%s\t%s\t%s\t%s\n' "$result" "${by:--}" "$took" "$commit" "${why//$'\t'/ }" >"$out/$name/result"
		{
			flock 8
			echo "$line"
			table >"$out/table.txt.new"
			mv "$out/table.txt.new" "$out/table.txt"
		} 8>"$work/lock"
	done
}

main() {
	local names=() scenarios=() name number=0 bad=0 why verdict seconds reasons scenario src pid pids=()
	local baseline='' rest='' check='' every='' commit
	local -A known=() broken=() wanted=()
	shopt -s nullglob
	all=("$here"/*.patch)
	all=("${all[@]##*/}")
	all=("${all[@]%.patch}")
	for name; do
		case $name in
		--help | -h) usage; exit 0 ;;
		--list) list; exit 0 ;;
		--check) check=yes ;;
		--baseline) baseline=yes ;;
		--rest) rest=yes ;;
		--every) every=yes ;;
		-*) usage >&2; exit 2 ;;
		*)
			[[ -f $here/$name.patch ]] || die "no mutant '$name'; tests/mutants/run.sh --list names them"
			names+=("$name") ;;
		esac
	done
	((${#names[@]})) || names=("${all[@]}")
	if [[ -n $rest ]]; then
		mapfile -t names < <(for name in "${names[@]}"; do
			grep -qs '^killed' "$out/$name/result" || echo "$name"
		done)
	fi

	mkdir -p "$out"
	work=$(mktemp -d "${TMPDIR:-/tmp}/mutants.XXXXXX")
	trap 'keep_cut_off; rm -rf "$work"' EXIT
	trap 'trap "" TERM; kill 0; exit 130' INT TERM
	commit=$(git -C "$repo" describe --always --dirty)
	src=$work/src
	copy "$src"
	while read -r name; do known[$name]=1; done < <("$src/tests/hil/run.py" --list)
	((${#known[@]})) || die "tests/hil/run.py --list names no scenario"

	echo "KTAP version 1"
	echo "1..${#names[@]}"
	if [[ -n $check ]]; then
		for name in "${names[@]}"; do
			number=$((number + 1))
			why=$(flaw "$name")
			if [[ -n $why ]]; then
				echo "not ok $number - $name: $why"
				bad=1
			else
				echo "ok $number - $name"
			fi
		done
		exit "$bad"
	fi

	if [[ -n $baseline ]]; then
		for name in "${names[@]}"; do
			read -r -a scenarios < <(header Scenario "$name")
			[[ -n $every ]] || scenarios=("${scenarios[@]:0:1}")
			for scenario in "${scenarios[@]}"; do
				if [[ -n ${known[$scenario]:-} ]]; then wanted[$scenario]=1; fi
			done
		done
		for scenario in $(printf '%s\n' "${!wanted[@]}" | sort); do
			number=$((number + 1))
			say "baseline $number of ${#wanted[@]}: $scenario"
			try "$scenario" "$out/baseline"
			[[ $verdict == passed ]] || broken[$scenario]="$scenario does not pass unbroken: ${reasons[0]:-}"
		done
	fi

	echo 0 >"$work/taken"
	for number in 1 2; do
		worker "$work/src$number" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || { echo "Bail out! a worker ended early"; bad=1; }
	done
	for name in "${names[@]}"; do
		grep -qs '^killed' "$out/$name/result" || bad=1
	done
	exit "$bad"
}

# bash reads a script as it goes: with all on this line, an edit meanwhile does no harm
main "$@"; exit
