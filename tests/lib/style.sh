#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The rules that a reviewer checks first, as KTAP: checkpatch --strict over every C file and every
# patch, the patches go in with git am, and they stay small; what we add or touch compiles without a
# warning as Debian's kernel is configured; Python compiles and is indented by 4 spaces, shell scripts
# parse.
set -euo pipefail
shopt -s nullglob

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
max_lines=500
# advice to use what only the kernel has, where user space has <stdint.h>, MMIO by volatile, and
# libraries whose names have capitals
kernel_only=CAMELCASE,PREFER_KERNEL_TYPES,BIT_MACRO,ARRAY_SIZE,PREFER_DEFINED_ATTRIBUTE_MACRO,STRCPY,VOLATILE
n=0
bad=0

usage="Usage: tests/lib/style.sh    checkpatch, git am and size of the patches, Python and shell, Debian's
                             configuration; no options"
case ${1:-} in
'')		;;
--help|-h)	echo "$usage"; exit 0 ;;
*)		echo "$usage" >&2; exit 2 ;;
esac

die() { echo "style: error: $*" >&2; exit 2; }

# result NAME EXIT-CODE OUTPUT
result() {
	n=$((n + 1))
	if (($2)); then
		[[ -z $3 ]] || echo "# ${3//$'\n'/$'\n'# }"
		echo "not ok $n - $1"
		bad=1
	else
		echo "ok $n - $1"
	fi
}

# checkpatch NAME ARG...
checkpatch() {
	local name=$1 text rc=0
	shift
	# it leaves a cache file where it runs
	text=$(cd "$tmp" && perl "$tree/scripts/checkpatch.pl" --root="$tree" --strict --quiet --no-summary --terse \
		"$@" "$repo/$name" 2>&1) || rc=$?
	result "checkpatch $name" "$rc" "${text//"$repo/"/}"
}

tree=$("$repo/tests/kernel/setup.sh" source)
cd "$repo"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# what git has, and what it is going to have
# "safe.directory": a checkout that another user owns is none that git reads otherwise
list=$(git -c safe.directory='*' ls-files --cached --others --exclude-standard) || die "git does not list the files here"
mapfile -t all < <(sort -u <<<"$list")
files=()
python=()
shell=()
for f in "${all[@]}"; do
	[[ -f $f ]] || continue
	first=
	read -r -n 40 first <"$f" 2>/dev/null || true
	case $f:$first in
	*.[ch]:*)			files+=("$f") ;;
	*.py:* | *:'#!'*python*)	python+=("$f") ;;
	*.sh:* | *:'#!'*[/\ ]sh* | *:'#!'*bash*)	shell+=("$f") ;;
	esac
done
patches=(patches/linux-7.3/*.patch)
# nothing looked at is nothing passed
for kind in files python shell patches; do
	declare -n found=$kind
	((${#found[@]})) || die "no $kind to look at in $repo: is this a checkout of all of it?"
done
echo "TAP version 13"
echo "1..$((6 + ${#files[@]} + ${#patches[@]}))"

for f in "${files[@]}"; do
	case $f in
	tests/* | tools/*) checkpatch "$f" --no-tree --ignore "$kernel_only" -f ;;
	*)		checkpatch "$f" --no-tree -f ;;
	esac
done

rc=0
text=$(/usr/bin/python3 - "${python[@]}" 2>&1 <<'PY'
import sys
import tokenize

bad = False
for path in sys.argv[1:]:
    try:
        with open(path, "rb") as file:
            compile(file.read(), path, "exec", dont_inherit=True)
        with open(path, "rb") as file:
            for token in tokenize.tokenize(file.readline):
                if token.type == tokenize.INDENT and token.string.replace("    ", ""):
                    print(f"{path}:{token.start[0]}: indent by 4 spaces")
                    bad = True
                    break
    except (SyntaxError, tokenize.TokenError) as error:
        print(f"{path}:{getattr(error, 'lineno', None) or 1}: {error}")
        bad = True
sys.exit(bad)
PY
) || rc=$?
result "${#python[@]} Python files" "$rc" "$text"

rc=0
text=$(tests/lib/rooms.py 2>&1) || rc=$?
result "no circle of includes, no long file or function" "$rc" "$text"

rc=0
text=
for f in "${shell[@]}"; do text+=$(bash -n "$f" 2>&1) || { rc=1; text+=$'\n'; }; done
result "${#shell[@]} shell scripts" "$rc" "$text"

for f in "${patches[@]}"; do checkpatch "$f"; done

# A driver's hitless replace is no hook: it is of use, and could be applied, without the others.
hooks=()
for p in "${patches[@]}"; do
	grep -q '^Subject: .*: Replace a .* domain without' "$p" || hooks+=("$p")
done
lines=$(git apply --numstat "${hooks[@]}" | awk '{ n += $1 + $2 } END { print n + 0 }')
rc=0
((0 < lines && lines <= max_lines)) || rc=1
result "${#hooks[@]} patches with hooks change $lines lines, at most $max_lines are allowed" "$rc" ""

# only the files they touch: a repository of the whole tree would take minutes
git init -q "$tmp/tree"
while read -r f; do
	[[ -f $tree/$f ]] || continue
	mkdir -p "$tmp/tree/$(dirname "$f")"
	cp "$tree/$f" "$tmp/tree/$f"
done < <(git apply --numstat "${patches[@]}" | cut -f3 | sort -u)
who=(-c user.name=style -c user.email=style@localhost -c commit.gpgsign=false -c core.hooksPath=/dev/null)
git -C "$tmp/tree" add -A -f
git -C "$tmp/tree" "${who[@]}" commit -q --allow-empty -m base
rc=0
text=$(git -C "$tmp/tree" "${who[@]}" am "${patches[@]/#/$repo/}" 2>&1) || rc=$?
result "git am takes the patches" "$rc" "$text"

if [[ -n ${KSRC:-} ]]; then
	result "objects # SKIP Debian's configuration is for its own source, and KSRC is set" 0 ""
else
	rc=0
	text=$("$repo/tests/kernel/setup.sh" debian 2>&1 >/dev/null) || rc=$?
	((rc)) || text=
	result "objects as Debian's amd64 kernel is configured, with W=1" "$rc" "$text"
fi
exit "$bad"
