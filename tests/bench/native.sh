#!/bin/bash
# SPDX-License-Identifier: EUPL-1.2
# Makes a journaled ext4 image with a directory of its own for each of native,
# sobre and the peers asked for, and calls a file-system benchmark on them:
#
#	tests/bench/native.sh [-s IMAGE_GIB] [-d WORKDIR] [-c CPU] [-u]
#		[-m OPTION]… [-x PEER]… BENCHMARK [ARGUMENT…]
#
# The benchmark gets its arguments, then native=DIR sobre=DIR and each peer's.
# -c pins the daemons to a CPU (and the benchmark, by whatever it has for that);
# -u switches the fuse module's io_uring on while mounting; -m hands `sobre
# mount` an option. A peer is bindfs, mergerfs, fuse-overlayfs, gocryptfs or
# overlay (the kernel's), or NAME=COMMAND: a command that takes a source and a
# mountpoint. Root; SOBRE is the program (build/bin/sobre).
set -euo pipefail
usage() {
	sed -n 's/^# \{0,1\}//; 3,15p' "$0" >&2
	exit 2
}

# Of its own mounts nobody else gets a copy, which would keep them alive.
if [ "${1-}" != --private ]; then
	exec unshare --mount --propagation private "$0" --private "$@"
fi
shift
size=8
base=${TMPDIR:-/var/tmp}
uring=
pin=()
options=()
peers=()
while getopts s:d:c:um:x: option; do
	case $option in
	s) size=$OPTARG ;;
	d) base=$OPTARG ;;
	c) pin=(taskset -c "$OPTARG") ;;
	u) uring=/sys/module/fuse/parameters/enable_uring ;;
	m) options+=("$OPTARG") ;;
	x) peers+=("$OPTARG") ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || usage
here=$(dirname "$(realpath "$0")")
sobre=$(realpath "${SOBRE:-$here/../../build/bin/sobre}")

work=$(mktemp -d "$base/sobre-bench.XXXXXX")
fs=$work/fs
clean() {
	cd /
	[ -z "$uring" ] || echo "$uring_was" >"$uring"
	"$sobre" umount "$fs/sobre" >/dev/null 2>&1 || true
	for dir in "$fs"/*/ "$fs"; do
		mountpoint -q "$dir" || continue
		umount "$dir" 2>/dev/null || umount -l "$dir" || true
	done
	rm -rf --one-file-system "$work"
}
[ -z "$uring" ] || uring_was=$(cat "$uring")
trap clean EXIT
trap 'exit 130' INT TERM HUP

mount_peer() { # NAME COMMAND
	local source=$fs/$1.source dir=$fs/$1 words
	mkdir "$source" "$source.upper" "$source.work" "$dir"
	local layers="lowerdir=$source,upperdir=$source.upper"
	layers+=",workdir=$source.work"
	case $1:$2 in
	bindfs:) "${pin[@]}" bindfs "$source" "$dir" ;;
	mergerfs:) "${pin[@]}" mergerfs -o minfreespace=0,allow_other "$source" "$dir" ;;
	fuse-overlayfs:) "${pin[@]}" fuse-overlayfs -o "$layers" "$dir" ;;
	overlay:) mount -t overlay -o "$layers" overlay "$dir" ;;
	gocryptfs:)
		gocryptfs -q -init -scryptn 10 -extpass 'echo x' "$source"
		"${pin[@]}" gocryptfs -q -allow_other -extpass 'echo x' \
			"$source" "$dir"
		;;
	*)
		read -ra words <<<"$2"
		"${pin[@]}" "${words[@]}" "$source" "$dir"
		;;
	esac
	targets+=("$1=$dir")
}

truncate -s "${size}G" "$work/disk.img"
mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$work/disk.img"
mkdir "$fs"
mount -o loop "$work/disk.img" "$fs"
mkdir "$fs/native" "$fs/sobre"
targets=(native="$fs/native" sobre="$fs/sobre")
[ -z "$uring" ] || echo Y >"$uring"
"${pin[@]}" "$sobre" mount "${options[@]}" "$fs/sobre"
for peer in "${peers[@]}"; do
	command=
	[[ $peer != *=* ]] || command=${peer#*=}
	mount_peer "${peer%%=*}" "$command"
done
"$sobre" status "$fs/sobre"
"$@" "${targets[@]}"
