/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#define CONTENTS 5000

struct look {
	unsigned int calls; /* of progress */
	unsigned int stop_at;
	struct ids seen;
};

static bool hear(void *ctx, uint64_t done, uint64_t total)
{
	struct look *look = ctx;

	(void)done;
	(void)total;
	return ++look->calls != look->stop_at;
}

static int see(struct store *store, const struct ids *ids, void *ctx,
	       struct error *err)
{
	struct look *look = ctx;

	(void)store;
	for (size_t i = 0; i < ids->n; i++)
		assert_int_equal(ids_add(&look->seen, &ids->id[i], err), 0);
	return 0;
}

static void make_contents(struct world *w)
{
	change(w, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
		  " FROM n WHERE i < 5000) INSERT INTO content(id, size_bytes,"
		  " pack, off, orphan) SELECT randomblob(16), i, 1, 256,"
		  " i % 1000 = 0 FROM n");
}

static int look_for(struct world *w, struct look *look)
{
	const struct store_gc_options options = { .progress = hear,
						  .ctx = look };

	return gc_for_contents(w->store, &options, CONTENTS_THAT("orphan != 0"),
			       see, look, &w->err);
}

/* However few are wanted, others get their turn in between. */
static void all_that_are_wanted_are_seen_in_steps(void **state)
{
	struct look look = { .calls = 0 };
	struct world *w = *state;

	make_contents(w);
	must(w, look_for(w, &look));
	assert_int_equal(look.seen.n, CONTENTS / 1000);
	assert_true(look.calls >= 3);
	for (size_t i = 1; i < look.seen.n; i++)
		assert_true(hash128_compare(&look.seen.id[i - 1],
					    &look.seen.id[i]) < 0);
	ids_release(&look.seen);
}

static void it_stops_when_told(void **state)
{
	struct look look = { .stop_at = 2 };
	struct world *w = *state;

	make_contents(w);
	assert_int_equal(look_for(w, &look), -ECANCELED);
	assert_int_equal(look.calls, 2);
	ids_release(&look.seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(all_that_are_wanted_are_seen_in_steps),
		world_test(it_stops_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
