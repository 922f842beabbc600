/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <stdlib.h>

#include "fs/catalog/internal.h"

static size_t slot_of(const struct ino_set *set, uint64_t ino)
{
	size_t at = (size_t)(ino * UINT64_C(0x9e3779b97f4a7c15) >> 20);

	while (set->slot[at & (set->cap - 1)] != 0 &&
	       set->slot[at & (set->cap - 1)] != ino)
		at++;
	return at & (set->cap - 1);
}

static int grow(struct ino_set *set, struct error *err)
{
	struct ino_set grown = { .cap = set->cap == 0 ? 1024 : set->cap * 2 };

	grown.slot = calloc(grown.cap, sizeof(*grown.slot));
	if (grown.slot == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < set->cap; i++) {
		if (set->slot[i] != 0)
			grown.slot[slot_of(&grown, set->slot[i])] =
				set->slot[i];
	}
	grown.n = set->n;
	free(set->slot);
	*set = grown;
	return 0;
}

int ino_set_add(struct ino_set *set, uint64_t ino, struct error *err)
{
	size_t at = 0;

	if (2 * (set->n + 1) > set->cap) {
		int rc = grow(set, err);

		if (rc < 0)
			return rc;
	}
	at = slot_of(set, ino);
	if (set->slot[at] == ino)
		return 0;
	set->slot[at] = ino;
	set->n++;
	return 1;
}

void ino_set_release(struct ino_set *set)
{
	free(set->slot);
	*set = (struct ino_set){ .n = 0 };
}
