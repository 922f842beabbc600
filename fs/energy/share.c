/* SPDX-License-Identifier: EUPL-1.2 */
#include <assert.h>
#include <stdlib.h>

#include "fs/base/cleanup.h"
#include "fs/energy/internal.h"

static uint128 common_divisor(uint128 a, uint128 b)
{
	while (b != 0) {
		uint128 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

uint128 share_unit(void)
{
	uint128 unit = 1;

	for (unsigned int n = 2; n <= SET_MEMBERS_MAX; n++)
		unit *= n / common_divisor(unit, n);
	return unit;
}

int shares_init(struct shares *ret_shares, unsigned int lines,
		struct error *err)
{
	struct shares s = {
		.lines = lines,
		.all = calloc(lines, sizeof(s.all[0])),
		.own = calloc(lines, sizeof(s.own[0])),
	};

	*ret_shares = s;
	if (!s.all || !s.own)
		return error_set(err, -ENOMEM, "no memory for %u lines", lines);
	return 0;
}

void shares_release(struct shares *shares)
{
	free(shares->all);
	free(shares->own);
	*shares = (struct shares){ .lines = 0 };
}

static int add_whole(struct shares *s, uint128 byte_seconds, struct error *err)
{
	if (__builtin_add_overflow(s->whole, byte_seconds, &s->whole))
		return error_set(err, -EOVERFLOW,
				 "too many byte-seconds to add up");
	return 0;
}

int shares_add_line(struct shares *shares, unsigned int line,
		    uint128 byte_seconds, struct error *err)
{
	struct big amount = big_from(byte_seconds);
	int rc = add_whole(shares, byte_seconds, err);

	if (rc < 0)
		return rc;
	big_scale(&amount, share_unit());
	big_add(&shares->all[line], &amount);
	shares->own[line] += byte_seconds;
	return 0;
}

static int check_set(const struct dept_set *set, unsigned int nobody,
		     struct error *err)
{
	if (set->n > SET_MEMBERS_MAX)
		return error_set(err, -EINVAL, "a set of %u departments",
				 set->n);
	for (unsigned int i = 0; i < set->n; i++)
		if (set->member[i] >= nobody ||
		    (i > 0 && set->member[i] <= set->member[i - 1]))
			return error_set(err, -EINVAL,
					 "a set with department %u out of "
					 "place",
					 set->member[i]);
	return 0;
}

int shares_add_row(struct shares *shares, const struct tier_time *row,
		   unsigned int nobody, struct error *err)
{
	struct big part = big_from(row->byte_seconds);
	int rc = check_set(&row->set, nobody, err);

	if (rc < 0)
		return rc;
	if (row->set.n == 0)
		return shares_add_line(shares, nobody, row->byte_seconds, err);
	if (row->set.n == 1)
		return shares_add_line(shares, row->set.member[0],
				       row->byte_seconds, err);
	rc = add_whole(shares, row->byte_seconds, err);
	if (rc < 0)
		return rc;
	big_scale(&part, share_unit() / row->set.n);
	for (unsigned int i = 0; i < row->set.n; i++)
		big_add(&shares->all[row->set.member[i]], &part);
	return 0;
}

int shares_join(struct shares *to, const struct shares *from, struct error *err)
{
	int rc = add_whole(to, from->whole, err);

	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < to->lines; i++) {
		big_add(&to->all[i], &from->all[i]);
		to->own[i] += from->own[i];
	}
	return 0;
}

struct remainder {
	struct big rest;
	unsigned int line;
};

static int by_remainder(const void *a, const void *b)
{
	const struct remainder *x = a;
	const struct remainder *y = b;
	int order = big_compare(&y->rest, &x->rest);

	if (order != 0)
		return order;
	return x->line < y->line ? -1 : x->line > y->line;
}

static int sum_rounded(const struct big *num, unsigned int n,
		       const struct big *den, uint128 *ret_sum)
{
	struct big sum = big_from(0);

	for (unsigned int i = 0; i < n; i++)
		big_add(&sum, &num[i]);
	return big_round(&sum, den, ret_sum) ? 0 : -EOVERFLOW;
}

static int round_down(const struct big *num, unsigned int n,
		      const struct big *den, uint128 *ret_part,
		      struct remainder *ret_rests)
{
	for (unsigned int i = 0; i < n; i++) {
		ret_rests[i].line = i;
		if (!big_divide(&num[i], den, &ret_part[i], &ret_rests[i].rest))
			return -EOVERFLOW;
	}
	return 0;
}

int apportion(const struct big *num, unsigned int n, const struct big *den,
	      const uint128 *whole, uint128 *ret_part, struct error *err)
{
	cleanup_free struct remainder *rests = calloc(n, sizeof(rests[0]));
	uint128 left = whole ? *whole : 0;
	int rc = rests ? 0 : -ENOMEM;

	if (rc == 0 && !whole)
		rc = sum_rounded(num, n, den, &left);
	if (rc == 0)
		rc = round_down(num, n, den, ret_part, rests);
	if (rc < 0)
		return error_set(err, rc, "cannot share among %u lines: %s", n,
				 error_words(rc));
	for (unsigned int i = 0; i < n; i++) {
		assert(left >= ret_part[i]);
		left -= ret_part[i];
	}
	assert(left <= n);
	qsort(rests, n, sizeof(rests[0]), by_remainder);
	for (unsigned int i = 0; i < left; i++)
		ret_part[rests[i].line]++;
	return 0;
}
