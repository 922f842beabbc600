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

void shares_add_line(struct shares *shares, unsigned int line,
		     uint128 byte_seconds)
{
	struct big amount = big_from(byte_seconds);

	big_scale(&amount, share_unit());
	big_add(&shares->all[line], &amount);
	big_add(&shares->own[line], &amount);
	big_add(&shares->whole, &amount);
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
	if (row->set.n <= 1) {
		shares_add_line(shares,
				row->set.n == 1 ? row->set.member[0] : nobody,
				row->byte_seconds);
		return 0;
	}
	big_scale(&part, share_unit() / row->set.n);
	for (unsigned int i = 0; i < row->set.n; i++) {
		big_add(&shares->all[row->set.member[i]], &part);
		big_add(&shares->whole, &part);
	}
	return 0;
}

int shares_whole(const struct shares *shares, uint128 *ret_whole,
		 struct error *err)
{
	const struct big unit = big_from(share_unit());
	struct big rest;

	if (big_divide(&shares->whole, &unit, ret_whole, &rest))
		return 0;
	return error_set(err, -EOVERFLOW, "too many byte-seconds to add up");
}

static struct big slice_of_big(const struct big *whole,
			       const struct slice *slice)
{
	struct big low = *whole;
	struct big part = *whole;

	if (slice->low == 0 && slice->high == slice->of)
		return part;
	big_scale(&low, slice->low);
	big_divide_word(&low, slice->of);
	big_scale(&part, slice->high);
	big_divide_word(&part, slice->of);
	big_sub(&part, &low);
	return part;
}

uint128 slice_of(uint128 whole, const struct slice *slice)
{
	const struct big all = big_from(whole);
	const struct big part = slice_of_big(&all, slice);

	return (uint128)part.limb[1] << 64 | part.limb[0];
}

/* Own and shared apart, so that no line's own part is more than all of it. */
void shares_join(struct shares *to, const struct shares *from,
		 const struct slice *slice)
{
	for (unsigned int i = 0; i < to->lines; i++) {
		const struct big own = slice_of_big(&from->own[i], slice);
		struct big shared = from->all[i];

		big_sub(&shared, &from->own[i]);
		shared = slice_of_big(&shared, slice);
		big_add(&to->own[i], &own);
		big_add(&shared, &own);
		big_add(&to->all[i], &shared);
		big_add(&to->whole, &shared);
	}
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
