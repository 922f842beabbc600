/* SPDX-License-Identifier: EUPL-1.2 */
/* Any bytes as the body of a recipe: what is taken must cover its size. */
#include <stdint.h>
#include <stdlib.h>

#include "fs/store/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct recipe *recipe)
{
	struct recipe_entry e;
	uint64_t at = 0;

	for (uint32_t i = 0; i < recipe->n; i++) {
		recipe_at(recipe, i, &e);
		if (e.off != at || !e.len || recipe_find(recipe, at) != i ||
		    recipe_find(recipe, at + e.len - 1) != i)
			abort();
		at += e.len;
	}
	if (at != recipe->size_bytes)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record record = { .type = RECORD_RECIPE };
	struct error err = ERROR_INIT;
	struct recipe recipe;

	if (size < RECIPE_HEAD_BYTES || size > RECIPE_BODY_MAX)
		return 0;
	record.n = (uint32_t)((size - RECIPE_HEAD_BYTES) / RECIPE_ENTRY_BYTES);
	record.body_len = RECIPE_HEAD_BYTES + record.n * RECIPE_ENTRY_BYTES;
	record.raw_len = record.body_len;
	if (recipe_decode(&record, data, &recipe, &err) < 0)
		return 0;
	check(&recipe);
	recipe_release(&recipe);
	return 0;
}
