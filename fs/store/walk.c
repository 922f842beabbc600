/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/cleanup.h"

int walk_start(struct walk *walk, struct store *store, uint64_t pack,
	       uint64_t off, uint64_t end, struct error *err)
{
	struct pack_ref ref;
	struct stat st;
	int rc = pack_get(store, pack, &ref, err);

	if (rc < 0)
		return rc;
	if (fstat(ref.fd, &st) < 0) {
		rc = error_set(err, -errno, "cannot stat pack %llu",
			       (unsigned long long)pack);
		pack_put(store, &ref);
		return rc;
	}
	if (end == 0)
		end = (uint64_t)st.st_size;
	*walk = (struct walk){
		.store = store, .ref = ref, .pack = pack, .off = off, .end = end
	};
	return 0;
}

/* In strides: dropping each record would drop the next one's readahead. The
 * next stride is dropped and asked for while this one is read. */
#define STRIDE_BYTES (UINT64_C(8) << 20)
/* Linux reads no more for one call than the device's readahead. */
#define ASK_BYTES (UINT64_C(128) << 10)

static void ask_for(int fd, uint64_t from)
{
	for (uint64_t at = from; at < from + STRIDE_BYTES; at += ASK_BYTES)
		(void)posix_fadvise(fd, (off_t)at, ASK_BYTES,
				    POSIX_FADV_WILLNEED);
}

static void foresee(struct walk *walk, uint64_t off)
{
	const uint64_t from = walk->dropped > off ? walk->dropped : off;

	if (!walk->fresh || off + STRIDE_BYTES < from || from >= walk->end)
		return;
	(void)posix_fadvise(walk->ref.fd, (off_t)from, STRIDE_BYTES,
			    POSIX_FADV_DONTNEED);
	ask_for(walk->ref.fd, from);
	walk->dropped = from + STRIDE_BYTES;
}

static int read_item(struct walk *walk, uint64_t off, struct walk_item *item,
		     struct error *err)
{
	int rc;

	foresee(walk, off);
	rc = record_read(walk->store, walk->pack, off, false, &item->record,
			 &item->body, err);
	item->off = off;
	item->end = off + (rc < 0 ? 0 : record_span(item->record.body_len));
	if (rc == 0 && item->end > walk->end) {
		free(take_ptr(&item->body));
		rc = error_set(err, -SOBRE_ECORRUPT, "past the pack's end");
	}
	return rc;
}

static bool has_magic(const uint8_t *bytes)
{
	return memcmp(bytes, RECORD_MAGIC_BYTES, 4) == 0;
}

/* Where a record may start again after `off`, by its magic; walk->end: no
 * more. */
static uint64_t resync(const struct walk *walk, uint64_t off)
{
	uint8_t buf[8192];

	off = (off & ~(uint64_t)(RECORD_ALIGN - 1)) + RECORD_ALIGN;
	while (off < walk->end) {
		ssize_t n = pread(walk->ref.fd, buf, sizeof(buf), (off_t)off);

		/* A bad sector: past its page. */
		if (n < 0) {
			off = (off | 4095) + 1;
			continue;
		}
		if (n < (ssize_t)RECORD_ALIGN)
			break;
		for (ssize_t i = 0; i + 4 <= n; i += RECORD_ALIGN)
			if (has_magic(buf + i))
				return off + (uint64_t)i;
		off += (uint64_t)n & ~(uint64_t)(RECORD_ALIGN - 1);
	}
	return walk->end;
}

int walk_next(struct walk *walk, struct walk_item *item, struct error *err)
{
	uint64_t start = walk->off;
	uint64_t at = start;
	int rc;

	free(take_ptr(&item->body));
	*item = (struct walk_item){ .off = start };
	if (start >= walk->end)
		return 0;
	rc = read_item(walk, start, item, err);
	while (is_damage(rc) && at < walk->end) {
		at = resync(walk, at);
		if (at < walk->end)
			rc = read_item(walk, at, item, err);
	}
	if (rc < 0 && !is_damage(rc))
		return rc;
	if (at > start) {
		/* The sound record is read again, as the next item. */
		free(take_ptr(&item->body));
		*item = (struct walk_item){ .off = start,
					    .end = at,
					    .bad = true };
	}
	walk->off = item->end;
	return 1;
}

void walk_end(struct walk *walk, struct walk_item *item)
{
	free(take_ptr(&item->body));
	pack_put(walk->store, &walk->ref);
}
