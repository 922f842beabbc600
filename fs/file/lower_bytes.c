/* SPDX-License-Identifier: EUPL-1.2 */
/* What the lower takes, counted on the disk itself. */
#include <errno.h>
#include <stdlib.h>

#include "fs/file/internal.h"

struct linked { /* an inode of several names */
	uint64_t ino;
	uint64_t bytes;
};

struct counting {
	const bool *stop;
	uint64_t bytes;
	struct linked *linked; /* owned; one for each name met */
	size_t n;
	size_t cap;
};

static int note_linked(struct counting *c, const struct stat *st,
		       struct error *err)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 256;
		struct linked *more =
			reallocarray(c->linked, cap, sizeof(*more));

		if (!more)
			return error_set(err, -ENOMEM, "out of memory");
		c->linked = more;
		c->cap = cap;
	}
	c->linked[c->n++] =
		(struct linked){ .ino = st->st_ino,
				 .bytes = (uint64_t)st->st_blocks * 512 };
	return 0;
}

static int count_one(void *ctx, const struct walk_entry *entry,
		     struct error *err)
{
	struct counting *c = ctx;
	const struct stat *st = entry->st;

	if (c->stop && __atomic_load_n(c->stop, __ATOMIC_RELAXED))
		return error_set(err, -ECANCELED, "stopped");
	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1)
		return note_linked(c, st, err);
	c->bytes += (uint64_t)st->st_blocks * 512;
	return 0;
}

static int by_ino(const void *a, const void *b)
{
	const struct linked *x = a;
	const struct linked *y = b;

	return (x->ino > y->ino) - (x->ino < y->ino);
}

static void add_linked(struct counting *c)
{
	if (c->n > 1)
		qsort(c->linked, c->n, sizeof(*c->linked), by_ino);
	for (size_t i = 0; i < c->n; i++)
		if (i == 0 || c->linked[i].ino != c->linked[i - 1].ino)
			c->bytes += c->linked[i].bytes;
}

int drive_lower_bytes(struct drive *drive, const bool *stop,
		      uint64_t *ret_bytes, struct error *err)
{
	struct counting c = { .stop = stop };
	cleanup_fd int fd = lower_open_path(drive, "", err);
	int rc = fd < 0 ? fd : walk_stats(drive, fd, count_one, &c, err);

	if (rc == 0) {
		add_linked(&c);
		*ret_bytes = c.bytes;
	}
	free(c.linked);
	return rc;
}
