# SPDX-License-Identifier: GPL-2.0-only
# bash completion of iommu-freeze

_iommu_freeze() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local verbs='list show check freeze verify extents discard decode version help'
	local filter='--incoming --outgoing -s -d' options='--help' bdf=''

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$verbs --help --version" -- "$cur")
		return
	fi
	case ${COMP_WORDS[1]} in
	list|show|verify|extents)	options="--json $filter --help" bdf=1 ;;
	check)				options='--stage --target --target-cmdline --json -s -d --help' bdf=1 ;;
	freeze)				options='--trial --json -s -d --help' bdf=1 ;;
	discard)			options='--json --help' bdf=1 ;;
	decode|version)			options='--json --help' ;;
	help)				options="$verbs" ;;
	*)				return ;;
	esac
	# In --stage=VALUE the = is a word of its own.
	[[ $cur != = ]] || cur=''
	[[ $prev != = ]] || prev=${COMP_WORDS[COMP_CWORD-2]}
	case $prev in
	-[sd]|--target-cmdline)
		return ;;
	--stage)
		mapfile -t COMPREPLY < <(compgen -W 'early preserve kexec' -- "$cur")
		return ;;
	--target)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	esac
	if [[ ${COMP_WORDS[1]} == help || $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
	elif [[ ${COMP_WORDS[1]} == decode ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	elif [[ $bdf ]]; then
		_iommu_freeze_bdf
	fi
}

# A colon ends a word: what is before the last one is taken off the answers.
_iommu_freeze_bdf() {
	local i typed='' before

	for ((i = COMP_CWORD; i > 1; i--)); do
		[[ $i -eq $COMP_CWORD || ${COMP_WORDS[i]} == : || ${COMP_WORDS[i+1]} == : ]] || break
		typed=${COMP_WORDS[i]}$typed
	done
	before=${typed%"${typed##*:}"}
	mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/bus/pci/devices 2>/dev/null)" -- "$typed")
	COMPREPLY=("${COMPREPLY[@]#"$before"}")
}

complete -F _iommu_freeze iommu-freeze
