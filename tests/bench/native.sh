#!/bin/bash
# SPDX-License-Identifier: EUPL-1.2
# Makes a journaled ext4 image with two directories, one native and one served
# by sobre, and calls a file-system benchmark on both:
#
#	tests/bench/native.sh [-s IMAGE_GIB] [-d WORKDIR] [-c CPU] [-m OPTION]…
#		BENCHMARK [ARGUMENT…]
#
# The benchmark gets its arguments, then native=DIR sobre=DIR. -c pins the
# daemon to a CPU (and the benchmark, by whatever it has for that); -m hands
# `sobre mount` an option. Root; SOBRE is the program (build/bin/sobre).
set -euo pipefail
usage() {
	sed -n 's/^# \{0,1\}//; 3,11p' "$0" >&2
	exit 2
}

size=8
base=${TMPDIR:-/var/tmp}
cpu=
options=()
while getopts s:d:c:m: option; do
	case $option in
	s) size=$OPTARG ;;
	d) base=$OPTARG ;;
	c) cpu=$OPTARG ;;
	m) options+=("$OPTARG") ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || usage
here=$(dirname "$(realpath "$0")")
sobre=$(realpath "${SOBRE:-$here/../../build/bin/sobre}")

work=$(mktemp -d "$base/sobre-bench.XXXXXX")
clean() {
	cd /
	"$sobre" umount "$work/fs/sobre" >/dev/null 2>&1 ||
		umount -l "$work/fs/sobre" 2>/dev/null || true
	umount "$work/fs" 2>/dev/null || umount -l "$work/fs" 2>/dev/null || true
	rm -rf --one-file-system "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

truncate -s "${size}G" "$work/disk.img"
mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$work/disk.img"
mkdir "$work/fs"
mount -o loop "$work/disk.img" "$work/fs"
mkdir "$work/fs/native" "$work/fs/sobre"
pin=()
[ -z "$cpu" ] || pin=(taskset -c "$cpu")
"${pin[@]}" "$sobre" mount "${options[@]}" "$work/fs/sobre"
"$sobre" status "$work/fs/sobre"
"$@" native="$work/fs/native" sobre="$work/fs/sobre"
