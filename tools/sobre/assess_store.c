/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/sobre/assess.h"

#define PPM 1000000u

/* What the catalog takes for each, indexes and half-empty pages included:
 * docs/format/catalog.md, "Figures". */
#define CATALOG_INODE_BYTES   UINT64_C(390)
#define CATALOG_CHUNK_BYTES   UINT64_C(55)
#define CATALOG_CONTENT_BYTES UINT64_C(60)

static bool in_sample(const struct assess *a, const struct assess_file *f)
{
	return hash64(f->path, strlen(f->path)) % PPM < a->sample_ppm;
}

/* What packing leaves alone is nothing to save. */
static bool would_pack(const struct assess_file *f)
{
	return !f->again && !f->excluded && f->size_bytes > 0 &&
	       f->disk_bytes > 0;
}

/* Without moving its time of last use where that is allowed. */
static int open_file(int dir_fd, const struct assess_file *f)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	int fd = openat(dir_fd, f->path + 1, flags | O_NOATIME);

	return fd < 0 && errno == EPERM ? openat(dir_fd, f->path + 1, flags)
					: fd;
}

static void note_unreadable(struct assess *a, const struct assess_file *f)
{
	if (a->unreadable++ == 0)
		a->first_unreadable = strdup(f->path);
}

static int read_one(struct assess *a, struct store_estimate *estimate,
		    int dir_fd, struct assess_file *f, struct error *err)
{
	struct store_estimate_result result;
	cleanup_fd int fd = open_file(dir_fd, f);
	struct error one = ERROR_INIT;
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		note_unreadable(a, f);
		return 0;
	}
	rc = store_estimate_add(estimate, fd, (uint64_t)st.st_size, &result,
				&one);
	if (rc == -ENOMEM)
		return error_set(err, rc, "%s", one.text);
	if (rc < 0) { /* it changed, or the disk can't read it */
		note_unreadable(a, f);
		return 0;
	}
	f->read = true;
	f->content = result.content;
	a->sampled.files++;
	a->sampled.logical_bytes += f->size_bytes;
	a->sampled.disk_bytes += f->disk_bytes;
	return 0;
}

static void tell(struct bar *bar, uint64_t done, uint64_t total)
{
	cleanup_json json_t *p =
		json_pack("{s:I, s:I, s:s}", "done", (json_int_t)done, "total",
			  (json_int_t)total, "unit", "bytes");

	if (p && bar->on)
		bar_progress(bar, p);
}

static uint64_t bytes_to_read(const struct assess *a)
{
	uint64_t total = 0;

	for (size_t i = 0; i < a->files; i++)
		if (would_pack(&a->file[i]) && in_sample(a, &a->file[i]))
			total += a->file[i].size_bytes;
	return total;
}

int assess_store(struct assess *assess, const char *dir_path, struct bar *bar,
		 struct error *err)
{
	CLEANUP(store_estimate_free) struct store_estimate *estimate = NULL;
	const struct store_estimate_options options = { .batch_files = 0 };
	cleanup_fd int dir_fd =
		open(dir_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t total = bytes_to_read(assess);
	uint64_t done = 0;
	int rc = dir_fd < 0 ? error_set(err, -errno,
					"cannot read the directory '%s': "
					"%s",
					dir_path, strerrordesc_np(errno))
			    : store_estimate_new(&options, &estimate, err);

	for (size_t i = 0; rc == 0 && i < assess->files; i++) {
		struct assess_file *f = &assess->file[i];

		if (!would_pack(f) || !in_sample(assess, f))
			continue;
		rc = read_one(assess, estimate, dir_fd, f, err);
		done += f->size_bytes;
		tell(bar, done, total);
	}
	if (rc == 0)
		store_estimate_totals(estimate, &assess->stored);
	assess->scatter_ppm =
		rc == 0 ? store_estimate_scatter_ppm(estimate) : UINT64_MAX;
	return rc;
}

/* With their rows in the catalog. */
static uint64_t stored_bytes(const struct assess *a)
{
	return a->stored.stored_bytes + CATALOG_CHUNK_BYTES * a->stored.chunks +
	       CATALOG_CONTENT_BYTES * a->stored.contents;
}

/* Of what is read it is what comes out; the rest is like it. What packing
 * leaves alone stays. */
void assess_savings(const struct assess *assess, uint64_t *ret_before,
		    uint64_t *ret_after)
{
	uint128 kept = 0;

	for (size_t i = 0; i < assess->files; i++)
		if (would_pack(&assess->file[i]))
			kept += assess->file[i].disk_bytes;
	*ret_before = assess->all.disk_bytes;
	*ret_after = assess->all.disk_bytes;
	if (assess->sampled.disk_bytes > 0)
		*ret_after = assess->all.disk_bytes - (uint64_t)kept +
			     CATALOG_INODE_BYTES * assess->all.files +
			     (uint64_t)(kept * stored_bytes(assess) /
					assess->sampled.disk_bytes);
}
