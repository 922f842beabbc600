/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/catalog/support.h"

#define TOLD_MAX 20000

struct hooked {
	struct fixture *f;
	uint64_t told[TOLD_MAX];
	size_t n;
	unsigned int calls;
	int fails;		 /* code to fail with, once */
	uint64_t also, also_dir; /* to touch when first called; 0: none */
	int64_t files;		 /* what the hook read itself */
};

static int told(void *ctx, const uint64_t *inos, size_t n, struct error *err)
{
	struct hooked *h = ctx;
	struct catalog_totals totals;
	int code = h->fails;

	h->calls++;
	h->fails = 0;
	assert_true(h->n + n <= TOLD_MAX);
	memcpy(h->told + h->n, inos, n * sizeof(*inos));
	h->n += n;
	assert_int_equal(catalog_totals(h->f->cat, &totals, err), 0);
	h->files = (int64_t)totals.files;
	if (h->also != 0)
		assert_int_equal(catalog_touch(h->f->cat, h->also, err), 0);
	if (h->also_dir != 0)
		assert_int_equal(
			catalog_touch_children(h->f->cat, h->also_dir, err), 0);
	h->also = 0;
	h->also_dir = 0;
	return code < 0 ? error_set(err, code, "refused") : 0;
}

static struct hooked *hook(struct fixture *f)
{
	struct hooked *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	h->f = f;
	must(catalog_on_commit(f->cat, told, h, &f->err));
	return h;
}

static void unhook(struct hooked *h)
{
	struct fixture *f = h->f;

	must(catalog_on_commit(f->cat, NULL, NULL, &f->err));
	free(h);
}

static size_t times(const struct hooked *h, uint64_t ino)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += h->told[i] == ino;
	return n;
}

static void forget(struct hooked *h)
{
	h->n = 0;
	h->calls = 0;
}

static void begin(struct fixture *f)
{
	must(catalog_begin(f->cat, &f->err));
}

static void commit(struct fixture *f)
{
	must(catalog_commit(f->cat, &f->err));
}

static void an_inode_is_told_once_however_often_it_was_touched(void **state)
{
	struct fixture *f = *state;
	struct hooked *h = hook(f);
	struct catalog_inode inode = file_of(7);

	begin(f);
	must(catalog_inode_put(f->cat, &inode, &f->err));
	inode.size_bytes = 99;
	must(catalog_inode_put(f->cat, &inode, &f->err));
	must(catalog_name_put(f->cat, 2, "a", 7, &f->err));
	must(catalog_name_put(f->cat, 2, "b", 7, &f->err));
	commit(f);
	assert_int_equal(h->n, 1);
	assert_int_equal(h->told[0], 7);
	assert_int_equal(h->files, 1);
	unhook(h);
}

static void what_does_not_matter_touches_nothing(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode inode = file_of(7);
	struct hooked *h = NULL;

	put(f, &inode);
	post_name(f, 2, "a", 7);
	flush(f);
	h = hook(f);
	inode.mtime_ns += NS_PER_S;
	inode.ctime_ns += NS_PER_S;
	inode.uid++;
	post(f, CATALOG_EVENT_INODE, &inode);
	post_name(f, 2, "a", 7);
	post(f, CATALOG_EVENT_USED, &inode);
	flush(f);
	assert_int_equal(h->calls, 0);
	inode.gid++;
	post(f, CATALOG_EVENT_INODE, &inode);
	flush(f);
	assert_int_equal(h->n, 1);
	unhook(h);
}

static void a_rename_over_another_touches_both(void **state)
{
	struct fixture *f = *state;
	const struct catalog_event move = {
		.kind = CATALOG_EVENT_MOVE,
		.parent = 2,
		.name = "a",
		.new_parent = 3,
		.new_name = "b",
	};
	struct hooked *h = NULL;

	post_name(f, 2, "a", 7);
	post_name(f, 3, "b", 8);
	post_name(f, 3, "c", 9);
	flush(f);
	h = hook(f);
	must(catalog_post(f->cat, &move));
	flush(f);
	assert_int_equal(h->n, 2);
	assert_int_equal(times(h, 7), 1);
	assert_int_equal(times(h, 8), 1);
	unhook(h);
}

static void packing_unnaming_and_dying_touch(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode inode = file_of(7);
	struct catalog_event unname = { .kind = CATALOG_EVENT_UNNAME,
					.parent = 2,
					.name = "a" };
	struct hooked *h = NULL;

	put(f, &inode);
	post_name(f, 2, "a", 7);
	flush(f);
	h = hook(f);
	pack(f, &inode, content_of(1));
	assert_int_equal(times(h, 7), 1);
	must(catalog_post(f->cat, &unname));
	flush(f);
	assert_int_equal(times(h, 7), 2);
	post(f, CATALOG_EVENT_GONE, &inode);
	flush(f);
	assert_int_equal(times(h, 7), 3);
	assert_int_equal(h->files, 0);
	unhook(h);
}

static void an_inode_number_used_again_is_touched(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode inode = file_of(7);
	struct hooked *h = NULL;

	put(f, &inode);
	h = hook(f);
	inode.btime_ns++;
	post(f, CATALOG_EVENT_INODE, &inode);
	flush(f);
	assert_int_equal(times(h, 7), 1);
	unhook(h);
}

static void what_a_scan_sweeps_away_is_told_by_the_thousand(void **state)
{
	struct fixture *f = *state;
	struct hooked *h = NULL;

	begin(f);
	for (uint64_t ino = 1; ino <= 10000; ino++) {
		const struct catalog_inode inode = file_of(ino);

		must(catalog_inode_put(f->cat, &inode, &f->err));
	}
	commit(f);
	h = hook(f);
	begin(f);
	must(catalog_scan_begin(f->cat, &f->err));
	commit(f);
	assert_int_equal(h->calls, 0);
	begin(f);
	must(catalog_scan_end(f->cat, &f->err));
	commit(f);
	assert_int_equal(h->n, 10000);
	assert_true(h->calls > 1);
	for (size_t i = 1; i < h->n; i++)
		assert_true(h->told[i - 1] < h->told[i]);
	assert_int_equal(h->files, 0);
	unhook(h);
}

static void what_the_hook_touches_is_told_next(void **state)
{
	struct fixture *f = *state;
	struct hooked *h = NULL;

	post_name(f, 2, "dir", 3);
	post_name(f, 3, "a", 4);
	post_name(f, 3, "b", 50);
	flush(f);
	h = hook(f);
	h->also = 1;
	h->also_dir = 3;
	post_name(f, 2, "new", 50);
	flush(f);
	/* 50 was told already: not again. */
	assert_int_equal(h->n, 3);
	assert_int_equal(times(h, 1), 1);
	assert_int_equal(times(h, 4), 1);
	assert_int_equal(times(h, 50), 1);
	unhook(h);
}

static void a_rollback_leaves_nothing_touched(void **state)
{
	struct fixture *f = *state;
	struct hooked *h = hook(f);
	struct catalog_inode inode = file_of(7);

	begin(f);
	must(catalog_inode_put(f->cat, &inode, &f->err));
	catalog_rollback(f->cat);
	inode.ino = 8;
	begin(f);
	must(catalog_inode_put(f->cat, &inode, &f->err));
	commit(f);
	assert_int_equal(h->n, 1);
	assert_int_equal(h->told[0], 8);
	forget(h);
	begin(f);
	commit(f);
	assert_int_equal(h->calls, 0);
	unhook(h);
}

static void a_hook_that_fails_undoes_and_events_wait(void **state)
{
	struct fixture *f = *state;
	struct hooked *h = hook(f);
	const struct catalog_inode inode = file_of(7);

	h->fails = -EIO;
	post(f, CATALOG_EVENT_INODE, &inode);
	/* The thread that writes behind may have met the failure. */
	if (catalog_flush(f->cat, &f->err) < 0) {
		assert_int_equal(f->err.code, -EIO);
		assert_string_equal(f->err.text, "refused");
		assert_false(knows(f, 7));
	}
	flush(f);
	assert_true(knows(f, 7));
	assert_int_equal(times(h, 7), 2);
	unhook(h);
}

static int posts_many(void *ctx, const uint64_t *inos, size_t n,
		      struct error *err)
{
	struct hooked *h = ctx;
	struct fixture *f = h->f;
	struct catalog_totals totals;

	(void)inos;
	h->n += n;
	for (uint64_t ino = 100; h->calls == 0 && ino < 40100; ino++)
		post_name(f, 2, "late", ino);
	h->calls++;
	assert_int_equal(catalog_totals(f->cat, &totals, err), 0);
	return 0;
}

static void no_event_is_written_while_the_hook_runs(void **state)
{
	struct fixture *f = *state;
	struct hooked h = { .f = f };
	const struct catalog_inode inode = file_of(7);

	must(catalog_on_commit(f->cat, posts_many, &h, &f->err));
	put(f, &inode);
	assert_int_equal(h.n, 1);
	flush(f);
	assert_int_equal(h.n, 40001);
	must(catalog_on_commit(f->cat, NULL, NULL, &f->err));
}

static void without_a_hook_nothing_is_kept(void **state)
{
	struct fixture *f = *state;
	struct hooked *h = hook(f);
	struct catalog_inode inode = file_of(7);

	assert_int_equal(catalog_on_commit(f->cat, told, h, &f->err), -EBUSY);
	unhook(h);
	put(f, &inode);
	h = hook(f);
	begin(f);
	assert_int_equal(catalog_on_commit(f->cat, NULL, NULL, &f->err),
			 -EDEADLK);
	commit(f);
	assert_int_equal(h->calls, 0);
	unhook(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(an_inode_is_told_once_however_often_it_was_touched),
		SCENARIO(what_does_not_matter_touches_nothing),
		SCENARIO(a_rename_over_another_touches_both),
		SCENARIO(packing_unnaming_and_dying_touch),
		SCENARIO(an_inode_number_used_again_is_touched),
		SCENARIO(what_a_scan_sweeps_away_is_told_by_the_thousand),
		SCENARIO(what_the_hook_touches_is_told_next),
		SCENARIO(a_rollback_leaves_nothing_touched),
		SCENARIO(a_hook_that_fails_undoes_and_events_wait),
		SCENARIO(no_event_is_written_while_the_hook_runs),
		SCENARIO(without_a_hook_nothing_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
