/* SPDX-License-Identifier: EUPL-1.2 */
/* The first bytes of a pack: what they are is known without reading them. */
#include "fs/store/internal.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/cleanup.h"
#include "fs/base/io.h"

static void header_of(const struct store *store, uint64_t id,
		      uint8_t ret_bytes[PACK_HEADER_BYTES])
{
	struct pack_header header = { .id = id, .key = store->options.key };

	memcpy(header.uuid, store->options.uuid, sizeof(header.uuid));
	pack_header_encode(&header, ret_bytes);
}

int pack_write_header(const struct store *store, int fd, uint64_t id)
{
	uint8_t bytes[PACK_HEADER_BYTES];

	header_of(store, id, bytes);
	return io_pwrite(fd, bytes, sizeof(bytes), 0);
}

static bool is_written(const uint8_t bytes[PACK_HEADER_BYTES])
{
	for (size_t i = 0; i < PACK_HEADER_BYTES; i++)
		if (bytes[i])
			return true;
	return false;
}

int pack_mend_header(const struct store *store, uint64_t id, bool only_lost,
		     struct error *err)
{
	uint8_t is[PACK_HEADER_BYTES] = { 0 };
	uint8_t should[PACK_HEADER_BYTES];
	char name[PACK_NAME_BYTES];
	cleanup_fd int fd = -1;
	int rc;

	header_of(store, id, should);
	pack_name(id, name);
	fd = openat(store->packs_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || pread(fd, is, sizeof(is), 0) < 0)
		return 0; /* the records tell */
	if (memcmp(is, should, sizeof(is)) == 0 ||
	    (only_lost && is_written(is)))
		return 0;
	rc = pack_write_header(store, fd, id);
	if (rc == 0)
		rc = io_fdatasync(fd);
	if (rc < 0)
		return error_set(err, rc, "cannot mend the header of '%s': %s",
				 name, error_words(rc));
	return 1;
}
