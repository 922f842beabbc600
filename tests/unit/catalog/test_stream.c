/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/catalog/support.h"

/* What a stream gave, as text. */
struct seen {
	char text[4096];
	unsigned int count;
	unsigned int stop_at; /* the count to end at; 0: never */
	const char *prune;
};

static void note(struct seen *seen, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void note(struct seen *seen, const char *fmt, ...)
{
	size_t len = strlen(seen->text);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(seen->text + len, sizeof(seen->text) - len, fmt, args);
	va_end(args);
	seen->count++;
}

static int on_name(void *ctx, uint64_t parent, const char *name, uint64_t ino,
		   struct error *err)
{
	struct seen *seen = ctx;

	(void)err;
	note(seen, "%d/%s=%d ", (int)parent, name, (int)ino);
	return seen->stop_at == seen->count ? 5 : 0;
}

static int on_inode(void *ctx, const struct catalog_inode *inode,
		    struct error *err)
{
	(void)err;
	note(ctx, "%lld:%d ", (long long)inode->ino, inode->last_used_day);
	return 0;
}

static int on_entry(void *ctx, const struct catalog_walk_entry *entry,
		    struct error *err)
{
	struct seen *seen = ctx;
	const char *slash = strrchr(entry->path, '/');

	assert_string_equal(slash == NULL ? entry->path : slash + 1,
			    entry->name);
	note(seen, "%s=%d ", entry->path, (int)entry->inode.ino);
	if (seen->stop_at == seen->count)
		return error_set(err, -ECANCELED, "stopped");
	return seen->prune != NULL && strcmp(entry->path, seen->prune) == 0
		       ? CATALOG_WALK_PRUNE
		       : 0;
}

static void make(struct fixture *f, uint64_t parent, const char *name,
		 uint64_t ino, bool dir)
{
	struct catalog_inode inode = file_of(ino);

	if (dir)
		inode.mode = S_IFDIR | 0750;
	post(f, CATALOG_EVENT_INODE, &inode);
	post_name(f, parent, name, ino);
}

/* /a/x /a/d/y /b */
static void make_tree(struct fixture *f)
{
	make(f, 2, "a", 10, true);
	make(f, 10, "x", 11, false);
	make(f, 10, "d", 12, true);
	make(f, 12, "y", 13, false);
	make(f, 2, "b", 14, false);
	flush(f);
}

static void children_come_by_name(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { .count = 0 };

	make_tree(f);
	must(catalog_children(f->cat, 10, on_name, &seen, &f->err));
	assert_string_equal(seen.text, "10/d=12 10/x=11 ");
	must(catalog_children(f->cat, 11, on_name, &seen, &f->err));
	assert_int_equal(seen.count, 2);
}

static void all_names_of_an_inode_come(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { .count = 0 };

	make_tree(f);
	post_name(f, 2, "link", 13);
	flush(f);
	must(catalog_names(f->cat, 13, on_name, &seen, &f->err));
	assert_int_equal(seen.count, 2);
	assert_non_null(strstr(seen.text, "12/y=13 "));
	assert_non_null(strstr(seen.text, "2/link=13 "));
}

static void what_a_callback_returns_ends_the_stream(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { .stop_at = 1 };

	make_tree(f);
	assert_int_equal(catalog_children(f->cat, 10, on_name, &seen, &f->err),
			 5);
	assert_int_equal(seen.count, 1);
	seen = (struct seen){ .stop_at = 2 };
	assert_int_equal(catalog_walk(f->cat, 2, on_entry, &seen, &f->err),
			 -ECANCELED);
	assert_int_equal(seen.count, 2);
	/* The view was given back. */
	seen.stop_at = 0;
	must(catalog_walk(f->cat, 2, on_entry, &seen, &f->err));
}

static void inodes_come_by_number_with_their_last_use(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { .count = 0 };
	struct catalog_event used = { .kind = CATALOG_EVENT_USED,
				      .inode = file_of(14),
				      .day = 20000 };

	make_tree(f);
	make(f, 2, "c", UINT64_MAX - 1, false);
	must(catalog_post(f->cat, &used));
	flush(f);
	must(catalog_inodes(f->cat, 11, on_inode, &seen, &f->err));
	assert_string_equal(seen.text,
			    "12:-2147483648 13:-2147483648 14:20000 ");
	seen = (struct seen){ .count = 0 };
	must(catalog_inodes(f->cat, UINT64_C(1) << 63, on_inode, &seen,
			    &f->err));
	assert_int_equal(seen.count, 6);
	assert_int_equal(get(f, 14).last_used_day, 20000);
	assert_int_equal(get(f, 13).last_used_day, CATALOG_DAY_UNKNOWN);
}

static void a_walk_meets_everything_below(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { .count = 0 };

	make_tree(f);
	must(catalog_walk(f->cat, 2, on_entry, &seen, &f->err));
	assert_string_equal(seen.text, "a=10 b=14 a/d=12 a/x=11 a/d/y=13 ");
	seen = (struct seen){ .prune = "a/d" };
	must(catalog_walk(f->cat, 2, on_entry, &seen, &f->err));
	assert_string_equal(seen.text, "a=10 b=14 a/d=12 a/x=11 ");
	seen = (struct seen){ .count = 0 };
	must(catalog_walk(f->cat, 10, on_entry, &seen, &f->err));
	assert_string_equal(seen.text, "d=12 x=11 d/y=13 ");
}

static void a_walk_enters_a_directory_once(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { .count = 0 };

	make_tree(f);
	post_name(f, 2, "z", 10);   /* a second name, left by a crash */
	post_name(f, 12, "up", 10); /* and a loop */
	post_name(f, 2, "z2", 13);  /* a hard link comes twice */
	flush(f);
	must(catalog_walk(f->cat, 2, on_entry, &seen, &f->err));
	assert_string_equal(seen.text,
			    "a=10 b=14 z2=13 a/d=12 a/x=11 a/d/y=13 ");
}

static void a_walk_in_a_transaction_sees_it(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { .count = 0 };

	make_tree(f);
	must(catalog_begin(f->cat, &f->err));
	must(catalog_name_put(f->cat, 12, "z", 14, &f->err));
	must(catalog_walk(f->cat, 12, on_entry, &seen, &f->err));
	catalog_rollback(f->cat);
	assert_string_equal(seen.text, "y=13 z=14 ");
	seen = (struct seen){ .count = 0 };
	must(catalog_walk(f->cat, 12, on_entry, &seen, &f->err));
	assert_string_equal(seen.text, "y=13 ");
}

struct changing {
	struct fixture *f;
	unsigned int count;
};

static int change_below(void *ctx, const struct catalog_walk_entry *entry,
			struct error *err)
{
	struct changing *c = ctx;
	struct fixture *f = c->f;

	(void)entry;
	(void)err;
	if (c->count++ == 0) {
		make(f, 12, "late", 99, false);
		flush(f);
	}
	return 0;
}

static void a_walk_is_of_one_moment(void **state)
{
	struct fixture *f = *state;
	struct changing c = { .f = f };

	make_tree(f);
	must(catalog_walk(f->cat, 2, change_below, &c, &f->err));
	assert_int_equal(c.count, 5);
	c.count = 1;
	must(catalog_walk(f->cat, 2, change_below, &c, &f->err));
	assert_int_equal(c.count, 7);
}

static void a_set_of_inodes_has_each_once(void **state)
{
	struct ino_set set = { .n = 0 };
	struct error err = ERROR_INIT;

	(void)state;
	for (uint64_t i = 1; i < 5000; i++)
		assert_int_equal(ino_set_add(&set, i * i * i, &err), 1);
	for (uint64_t i = 1; i < 5000; i++)
		assert_int_equal(ino_set_add(&set, i * i * i, &err), 0);
	assert_int_equal(set.n, 4999);
	ino_set_release(&set);
	assert_null(set.slot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(children_come_by_name),
		SCENARIO(all_names_of_an_inode_come),
		SCENARIO(what_a_callback_returns_ends_the_stream),
		SCENARIO(inodes_come_by_number_with_their_last_use),
		SCENARIO(a_walk_meets_everything_below),
		SCENARIO(a_walk_enters_a_directory_once),
		SCENARIO(a_walk_in_a_transaction_sees_it),
		SCENARIO(a_walk_is_of_one_moment),
		cmocka_unit_test(a_set_of_inodes_has_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
