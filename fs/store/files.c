/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/cleanup.h"

void pack_name(uint64_t id, char ret_name[PACK_NAME_BYTES])
{
	(void)snprintf(ret_name, PACK_NAME_BYTES, "%02x/%04" PRIu64 ".pack",
		       (unsigned int)(id & 0xff), id);
}

bool pack_name_parse(const char *xx, const char *name, uint64_t *ret_id)
{
	char expected[PACK_NAME_BYTES];
	char path[PACK_NAME_BYTES];
	char *end;
	uint64_t id = strtoull(name, &end, 10);
	int n = snprintf(path, sizeof(path), "%s/%s", xx, name);

	if (n < 0 || (size_t)n >= sizeof(path) || strcmp(end, ".pack") != 0 ||
	    id == 0 || id > INT64_MAX)
		return false;
	pack_name(id, expected);
	*ret_id = id;
	return strcmp(path, expected) == 0;
}

void files_init(struct pack_files *files)
{
	(void)pthread_mutex_init(&files->mutex, NULL);
	files->tick = 0;
	for (size_t i = 0; i < FILES_MAX; i++)
		files->slot[i] = (struct pack_file){ .fd = -1 };
}

void files_release(struct pack_files *files)
{
	for (size_t i = 0; i < FILES_MAX; i++)
		if (files->slot[i].fd >= 0)
			(void)close(files->slot[i].fd);
	(void)pthread_mutex_destroy(&files->mutex);
}

/*
 * A header that fails its checksum is let pass: each record stands for
 * itself, and one flipped byte must not take 256 MiB away. Scrub mends it.
 */
static int check_header(const struct store *store, int fd, uint64_t id,
			struct error *err)
{
	uint8_t bytes[PACK_HEADER_BYTES] = { 0 };
	struct pack_header header;
	int rc;

	if (pread(fd, bytes, sizeof(bytes), 0) < 0)
		return error_set(err, -errno, "cannot read pack %llu",
				 (unsigned long long)id);
	rc = pack_header_decode(bytes, &header, err);
	if (rc == -SOBRE_ECORRUPT)
		return 0;
	if (rc < 0)
		return error_prefix(err, "pack %llu", (unsigned long long)id);
	if (header.id != id ||
	    memcmp(header.uuid, store->options.uuid, sizeof(header.uuid)) != 0)
		return error_set(err, -SOBRE_ECORRUPT,
				 "pack %llu is of another drive",
				 (unsigned long long)id);
	return 0;
}

static int open_pack(const struct store *store, uint64_t id, struct error *err)
{
	char name[PACK_NAME_BYTES];
	cleanup_fd int fd = -1;
	int rc;

	pack_name(id, name);
	fd = openat(store->packs_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return error_set(err,
				 errno == ENOENT ? -SOBRE_ENOCHUNK : -errno,
				 "cannot open pack '%s': %s", name,
				 strerrordesc_np(errno));
	rc = check_header(store, fd, id, err);
	return rc < 0 ? rc : take_fd(&fd);
}

/* Under the mutex. */
static int find_slot(struct pack_files *files, uint64_t id)
{
	for (int i = 0; i < FILES_MAX; i++)
		if (files->slot[i].fd >= 0 && files->slot[i].id == id &&
		    !files->slot[i].stale)
			return i;
	return -1;
}

/* Under the mutex: a free slot, or the longest unused one, or -1. */
static int free_slot(struct pack_files *files)
{
	int best = -1;

	for (int i = 0; i < FILES_MAX; i++) {
		if (files->slot[i].fd < 0)
			return i;
		if (!files->slot[i].users &&
		    (best < 0 || files->slot[i].tick < files->slot[best].tick))
			best = i;
	}
	if (best >= 0)
		(void)close(files->slot[best].fd);
	return best;
}

static int use_slot(struct pack_files *files, int i)
{
	if (i >= 0) {
		files->slot[i].users++;
		files->slot[i].tick = ++files->tick;
	}
	return i;
}

int pack_get(struct store *store, uint64_t id, struct pack_ref *ret_ref,
	     struct error *err)
{
	struct pack_files *files = &store->files;
	int fd;
	int i;

	(void)pthread_mutex_lock(&files->mutex);
	i = use_slot(files, find_slot(files, id));
	if (i >= 0)
		*ret_ref =
			(struct pack_ref){ .fd = files->slot[i].fd, .slot = i };
	(void)pthread_mutex_unlock(&files->mutex);
	if (i >= 0)
		return 0;
	fd = open_pack(store, id, err);
	if (fd < 0)
		return fd;
	(void)pthread_mutex_lock(&files->mutex);
	i = free_slot(files);
	if (i >= 0)
		files->slot[i] = (struct pack_file){ .id = id, .fd = fd };
	*ret_ref = (struct pack_ref){ .fd = fd, .slot = use_slot(files, i) };
	(void)pthread_mutex_unlock(&files->mutex);
	return 0;
}

/* Under the mutex. */
static void close_if_stale(struct pack_file *slot)
{
	if (!slot->stale || slot->users)
		return;
	(void)close(slot->fd);
	*slot = (struct pack_file){ .fd = -1 };
}

void pack_put(struct store *store, struct pack_ref *ref)
{
	struct pack_files *files = &store->files;

	if (ref->slot < 0) {
		(void)close(ref->fd);
		return;
	}
	(void)pthread_mutex_lock(&files->mutex);
	files->slot[ref->slot].users--;
	close_if_stale(&files->slot[ref->slot]);
	(void)pthread_mutex_unlock(&files->mutex);
}

void pack_forget(struct store *store, uint64_t id)
{
	struct pack_files *files = &store->files;

	(void)pthread_mutex_lock(&files->mutex);
	for (int i = 0; i < FILES_MAX; i++) {
		if (files->slot[i].fd < 0 || files->slot[i].id != id)
			continue;
		files->slot[i].stale = true;
		close_if_stale(&files->slot[i]);
	}
	(void)pthread_mutex_unlock(&files->mutex);
}

static int read_all(int fd, uint8_t *buf, size_t len, uint64_t off,
		    struct error *err)
{
	while (len > 0) {
		ssize_t n = pread(fd, buf, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, -errno, "cannot read: %s",
					 strerrordesc_np(errno));
		if (n == 0)
			return error_set(err, -SOBRE_ECORRUPT,
					 "the pack is cut off");
		buf += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* Nothing is allocated for a length that the file hasn't. */
static int read_body(int fd, uint64_t off, const struct record *record,
		     uint8_t **ret_body, struct error *err)
{
	cleanup_free uint8_t *body = NULL;
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return error_set(err, -errno, "cannot stat the pack");
	if (off > (uint64_t)st.st_size ||
	    record->body_len > (uint64_t)st.st_size - off)
		return error_set(err, -SOBRE_ECORRUPT, "the pack is cut off");
	body = malloc(record->body_len ? record->body_len : 1);
	if (!body)
		return error_set(err, -ENOMEM, "no memory for a record");
	rc = read_all(fd, body, record->body_len, off, err);
	if (rc == 0)
		*ret_body = take_ptr(&body);
	return rc;
}

static int read_record(int fd, uint64_t off, struct record *ret_record,
		       uint8_t **ret_body, struct error *err)
{
	uint8_t header[RECORD_HEADER_BYTES];
	cleanup_free uint8_t *body = NULL;
	int rc = read_all(fd, header, sizeof(header), off, err);

	if (rc == 0)
		rc = record_decode(header, ret_record, err);
	if (rc == 0)
		rc = read_body(fd, off + sizeof(header), ret_record, &body,
			       err);
	if (rc == 0)
		rc = record_check(ret_record, header, body, err);
	if (rc == 0)
		*ret_body = take_ptr(&body);
	return rc;
}

int record_read(struct store *store, uint64_t pack, uint64_t off, bool fresh,
		struct record *ret_record, uint8_t **ret_body,
		struct error *err)
{
	struct pack_ref ref;
	int rc = pack_get(store, pack, &ref, err);

	if (rc < 0)
		return rc;
	if (fresh)
		(void)posix_fadvise(ref.fd, (off_t)off,
				    RECORD_HEADER_BYTES + EXTENT_BODY_MAX,
				    POSIX_FADV_DONTNEED);
	rc = read_record(ref.fd, off, ret_record, ret_body, err);
	pack_put(store, &ref);
	if (rc < 0)
		return error_prefix(err, "pack %llu at %llu",
				    (unsigned long long)pack,
				    (unsigned long long)off);
	return 0;
}
