/* SPDX-License-Identifier: EUPL-1.2 */
/* Any bytes as drive.yaml: what is read without a message must be in order. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hear(void *ctx, const char *text)
{
	(void)text;
	(*(unsigned int *)ctx)++;
}

static void check(const struct config *c)
{
	for (unsigned int i = 0; i < c->departments; i++) {
		const struct config_department *d = &c->department[i];

		assert(d->id && d->name && *d->id && strcmp(d->id, "other"));
		assert(d->paths || d->groups);
		for (char **path = d->paths; path && *path; path++)
			assert(**path == '/' && (*path)[1] &&
			       !strstr(*path, "//"));
	}
	for (unsigned int i = 0; i < c->arrays; i++)
		assert(c->array[i].id && c->array[i].usable_bytes > 0);
	assert(c->pack_from_min < 24 * 60 && c->pack_until_min < 24 * 60);
	assert((c->burst_files > 0) == (c->burst_s > 0));
	assert(!c->lower || *c->lower == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_fd int fd = memfd_create("drive.yaml", MFD_CLOEXEC);
	unsigned int heard = 0;
	struct yaml_messages messages = { hear, &heard, NULL };
	struct error err = ERROR_INIT;
	struct config config;
	char path[32];
	int rc;

	if (fd < 0 || (size > 0 && write(fd, data, size) != (ssize_t)size))
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rc = config_load(path, -1, &messages, &config, &err);
	assert(rc == 0 || rc == -ENOMEM || rc == -EFBIG ||
	       rc == -SOBRE_ECONFIG);
	assert((rc == -SOBRE_ECONFIG) == (heard > 0));
	if (rc < 0)
		return 0;
	check(&config);
	config_release(&config);
	return 0;
}
