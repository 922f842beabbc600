#!/bin/bash
# SPDX-License-Identifier: EUPL-1.2
# What packing a share saves, and what it costs: packs everything, reads all
# back through the mount and compares, unpacks everything and compares the
# lower directory with the start. The share itself is not touched: a copy of
# it is used, in a journaled ext4 image.
#
#	tests/bench/pack.sh [-s IMAGE_GIB] [-d WORKDIR] SHARE
#
# Root; SOBRE is the program (build/bin/sobre). Prints a table.
set -euo pipefail
usage() {
	sed -n 's/^# \{0,1\}//; 3,9p' "$0" >&2
	exit 2
}

size=0
base=${TMPDIR:-/var/tmp}
while getopts s:d: option; do
	case $option in
	s) size=$OPTARG ;;
	d) base=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
if [ $# != 1 ] || [ ! -d "$1" ]; then usage; fi
share=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
sobre=$(realpath "${SOBRE:-$here/../../build/bin/sobre}")
logical=$(du -sb --apparent-size "$share" | cut -f1)
[ "$size" != 0 ] || size=$((logical * 3 / (1 << 30) + 1))

work=$(mktemp -d "$base/sobre-bench.XXXXXX")
drive=$work/fs/drive
daemon=
clean() {
	cd /
	"$sobre" umount "$drive" >/dev/null 2>&1 || true
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
	wait 2>/dev/null || true
	umount -l "$drive" 2>/dev/null || true
	umount "$work/fs" 2>/dev/null || umount -l "$work/fs" 2>/dev/null || true
	rm -rf --one-file-system "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

say() { printf '%s\n' "$*" >&2; }
cold() { # nothing in the page cache
	sync
	echo 3 >/proc/sys/vm/drop_caches
}
timed() { # name command…: seconds to $work/NAME.s
	local name=$1 start=$EPOCHREALTIME
	shift
	"$@"
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }' \
		>"$work/$name.s"
}
manifest() { # names, rights, sizes, times, blocks, links
	(cd "$1" && find . -mindepth 1 -path ./.sobre -prune -o \
		-printf '%P\t%y\t%m\t%U:%G\t%n\t%l' \
		\( -type f -printf '\t%s\t%T@\t%b\n' -o -printf '\n' \) | sort)
}
sums() { (cd "$1" && find . -path ./.sobre -prune -o -type f -print0 |
	sort -z | xargs -0 -r sha256sum); }
same() { # what: two files
	cmp "$2" "$3" || {
		diff "$2" "$3" | head -n 20 >&2
		say "DIFFERENT: $1"
		exit 1
	}
	say "identical: $1"
}
used() { df --output=used -B1 "$work/fs" | tail -n 1 | tr -d ' '; }
peak() { awk '/^VmHWM/ { print $2 * 1024 }' "/proc/$daemon/status"; }
mount_drive() {
	"$sobre" mount --foreground "$drive" >>"$work/log" 2>&1 &
	daemon=$!
	until grep -q " $drive .* fuse.sobre " /proc/self/mountinfo; do
		kill -0 $daemon || {
			cat "$work/log" >&2
			exit 1
		}
		sleep 0.05
	done
	stat "$drive" >/dev/null
	while "$sobre" status "$drive" --json |
		grep -Eq '"(running|needs_scan)": *true'; do
		sleep 0.1
	done
}
umount_drive() {
	"$sobre" umount "$drive"
	wait "$daemon"
	daemon=
}

say "image of $size GiB, copying $share"
truncate -s "${size}G" "$work/disk.img"
mkfs.ext4 -q -F "$work/disk.img"
mkdir "$work/fs"
mount -o loop "$work/disk.img" "$work/fs"
empty=$(used)
cp -a "$share" "$drive"
cold
full=$(used)
manifest "$drive" >"$work/manifest"
timed sums_native sums "$drive" >"$work/sums"

timed mount mount_drive
before=$(peak)
timed pack "$sobre" pack --now "$drive" >"$work/pack.txt"
say "$(cat "$work/pack.txt")"
packed_peak=$(peak)
cold
small=$(used)
manifest "$drive" >"$work/manifest.packed"
same 'metadata, packed' "$work/manifest" "$work/manifest.packed"
timed sums_packed sums "$drive" >"$work/sums.packed"
same 'bytes, packed' "$work/sums" "$work/sums.packed"
umount_drive
mount_drive
cold
sums "$drive" >"$work/sums.again"
same 'bytes, packed, mounted again' "$work/sums" "$work/sums.again"
read_peak=$(peak)
timed scrub "$sobre" scrub "$drive" >/dev/null
timed unpack "$sobre" unpack --all "$drive" >/dev/null
unpack_peak=$(peak)
umount_drive
manifest "$drive" >"$work/manifest.after"
sums "$drive" >"$work/sums.after"
same 'metadata of the lower directory, unpacked' "$work/manifest" \
	"$work/manifest.after"
same 'bytes of the lower directory, unpacked' "$work/sums" "$work/sums.after"

awk -v files="$(wc -l <"$work/sums")" -v logical="$logical" \
	-v full=$((full - empty)) -v small=$((small - empty)) \
	-v p0="$before" -v p1="$packed_peak" -v p2="$read_peak" \
	-v p3="$unpack_peak" -v dir="$work/" '
function s(name, x) { getline x < (dir name ".s"); return x }
function mib(x) { return sprintf("%.1f MiB", x / 1048576) }
BEGIN {
	m = logical / 1048576
	print "| | |\n|---|---|"
	printf "| files | %d |\n", files
	print "| logical | " mib(logical) " |"
	print "| on disk before | " mib(full) " |"
	print "| on disk packed, catalog and all | " mib(small) " |"
	printf "| saved | %.1f %% |\n", 100 * (1 - small / full)
	x = s("pack"); printf "| pack | %s s, %.0f MiB/s |\n", x, m / x
	x = s("sums_packed")
	printf "| read all back, cold, and hash | %s s, %.0f MiB/s |\n", x, m / x
	x = s("sums_native")
	printf "| the same, native, before | %s s, %.0f MiB/s |\n", x, m / x
	print "| scrub | " s("scrub") " s |"
	x = s("unpack"); printf "| unpack all | %s s, %.0f MiB/s |\n", x, m / x
	print "| peak memory, mounted | " mib(p0) " |"
	print "| after packing | " mib(p1) " |"
	print "| after reading all | " mib(p2) " |"
	print "| after unpacking all | " mib(p3) " |"
}'
