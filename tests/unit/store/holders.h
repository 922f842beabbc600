/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_STORE_HOLDERS_H
#define SOBREFS_TESTS_STORE_HOLDERS_H

/* What a ledger does, in an array: files of departments that hold contents,
 * and what each set of departments was charged. */

#include "tests/unit/store/support.h"

#define HOLDERS_MAX 256

struct holder {
	bool there;
	struct hash128 content;
	uint64_t size_bytes;
	struct dept_set set;
};

struct toy_charge {
	struct dept_set set;
	int64_t bytes;
};

struct holders {
	struct holder file[HOLDERS_MAX]; /* by inode number */
	struct toy_charge charge[HOLDERS_MAX];
	size_t charges;
};

static inline bool set_is(const struct dept_set *a, const struct dept_set *b)
{
	return a->n == b->n &&
	       memcmp(a->member, b->member, a->n * sizeof(a->member[0])) == 0;
}

/* Bit i: department i. */
static inline struct dept_set set_of(uint32_t bits)
{
	struct dept_set set = { .n = 0 };

	for (uint16_t i = 0; i < 32; i++)
		if (bits >> i & 1)
			set.member[set.n++] = i;
	return set;
}

static inline int64_t *charged(struct holders *h, const struct dept_set *set)
{
	for (size_t i = 0; i < h->charges; i++)
		if (set_is(&h->charge[i].set, set))
			return &h->charge[i].bytes;
	assert_true(h->charges < HOLDERS_MAX);
	h->charge[h->charges] = (struct toy_charge){ .set = *set };
	return &h->charge[h->charges++].bytes;
}

static inline int take_charge(void *ctx, const struct dept_set *set,
			      int64_t delta_bytes, bool moved,
			      struct error *err)
{
	int64_t *bytes = charged(ctx, set);

	(void)err;
	(void)moved;
	assert_true(set->n > 0);
	for (uint16_t i = 1; i < set->n; i++)
		assert_true(set->member[i - 1] < set->member[i]);
	*bytes += delta_bytes;
	assert_true(*bytes >= 0);
	return 0;
}

struct holders_check {
	struct holders *holders;
	int64_t total;
};

static inline int check_sum(void *ctx, const struct dept_set *set,
			    uint64_t bytes, struct error *err)
{
	struct holders_check *check = ctx;

	(void)err;
	assert_int_equal(*charged(check->holders, set), bytes);
	check->total += (int64_t)bytes;
	return 0;
}

/* What was charged is what the rows say; returns all of it. */
static inline int64_t check_charges(struct world *w, struct holders *h)
{
	struct holders_check check = { .holders = h };
	int64_t total = 0;

	must(w, store_set_sums(w->store, check_sum, &check, &w->err));
	for (size_t i = 0; i < h->charges; i++)
		total += h->charge[i].bytes;
	assert_int_equal(check.total, total);
	return total;
}

/* What all files are charged adds up to it too. */
static inline void check_shares(struct world *w, struct holders *h)
{
	int64_t total = check_charges(w, h);
	struct store_share share;
	uint128 sum = 0;

	for (size_t i = 0; i < HOLDERS_MAX; i++) {
		const struct holder *file = &h->file[i];

		if (!file->there)
			continue;
		must(w, store_share(w->store, &file->content, &file->set,
				    &share, &w->err));
		assert_true(share.complete);
		assert_true(share.exclusive_bytes <= share.stored_bytes);
		sum += share.own_q64;
	}
	assert_int_equal(store_share_bytes(sum), total);
}

/* The content is put, as file `ino` of the set. */
static inline struct hash128 hold(struct world *w, struct holders *h,
				  uint64_t ino, struct dept_set set,
				  const void *data, size_t len)
{
	struct store_put_result r = put_data(w, data, len, ino);

	assert_false(h->file[ino].there);
	h->file[ino] = (struct holder){ .there = true,
					.content = r.content,
					.size_bytes = len,
					.set = set };
	must(w, catalog_begin(w->cat, &w->err));
	must(w, store_use(w->store, &r.content, &set, NULL, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
	return r.content;
}

static inline void let_go(struct world *w, struct holders *h, uint64_t ino)
{
	struct holder *file = &h->file[ino];

	gone(w, ino);
	must(w, catalog_begin(w->cat, &w->err));
	must(w, store_use(w->store, &file->content, NULL, &file->set, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
	file->there = false;
}

static inline void move_to(struct world *w, struct holders *h, uint64_t ino,
			   struct dept_set set)
{
	struct holder *file = &h->file[ino];

	must(w, catalog_begin(w->cat, &w->err));
	must(w, store_use(w->store, &file->content, &set, &file->set, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
	file->set = set;
}

#endif
