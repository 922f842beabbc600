/* SPDX-License-Identifier: EUPL-1.2 */
/* Why not a library: docs/design/decisions/wide-integers.md. */
#include <assert.h>

#include "fs/energy/internal.h"

#define LIMB_BITS 64u

struct big big_from(uint128 v)
{
	struct big b = { .limb = { (uint64_t)v, (uint64_t)(v >> LIMB_BITS) } };

	return b;
}

void big_add(struct big *a, const struct big *b)
{
	uint128 carry = 0;

	for (unsigned int i = 0; i < BIG_LIMBS; i++) {
		carry += (uint128)a->limb[i] + b->limb[i];
		a->limb[i] = (uint64_t)carry;
		carry >>= LIMB_BITS;
	}
	assert(carry == 0);
}

void big_sub(struct big *a, const struct big *b)
{
	bool borrow = false;

	for (unsigned int i = 0; i < BIG_LIMBS; i++) {
		uint64_t from = a->limb[i];

		a->limb[i] = from - b->limb[i] - borrow;
		borrow = from < b->limb[i] || (from == b->limb[i] && borrow);
	}
	assert(!borrow);
}

/* Adds a x b, b standing `at` limbs up. */
static void add_row(struct big *to, uint64_t a, const struct big *b,
		    unsigned int at)
{
	uint128 carry = 0;

	for (unsigned int i = 0; at + i < BIG_LIMBS; i++) {
		carry += (uint128)a * b->limb[i] + to->limb[at + i];
		to->limb[at + i] = (uint64_t)carry;
		carry >>= LIMB_BITS;
	}
	assert(carry == 0);
	for (unsigned int i = BIG_LIMBS - at; i < BIG_LIMBS; i++)
		assert(a == 0 || b->limb[i] == 0);
}

void big_mul(struct big *a, const struct big *b)
{
	struct big product = { .limb = { 0 } };

	for (unsigned int i = 0; i < BIG_LIMBS; i++)
		add_row(&product, a->limb[i], b, i);
	*a = product;
}

void big_scale(struct big *a, uint128 by)
{
	struct big b = big_from(by);

	big_mul(a, &b);
}

int big_compare(const struct big *a, const struct big *b)
{
	for (unsigned int i = BIG_LIMBS; i-- > 0;)
		if (a->limb[i] != b->limb[i])
			return a->limb[i] < b->limb[i] ? -1 : 1;
	return 0;
}

/* The number of bits up to the highest that is set. */
static unsigned int bits_of(const struct big *a)
{
	for (unsigned int i = BIG_LIMBS; i-- > 0;)
		if (a->limb[i] != 0)
			return (i + 1) * LIMB_BITS -
			       (unsigned int)__builtin_clzll(a->limb[i]);
	return 0;
}

static void shift_up(struct big *a, unsigned int bits)
{
	unsigned int limbs = bits / LIMB_BITS;
	unsigned int rest = bits % LIMB_BITS;

	for (unsigned int i = BIG_LIMBS; i-- > 0;) {
		uint64_t high = i >= limbs ? a->limb[i - limbs] : 0;
		uint64_t low = i >= limbs + 1 ? a->limb[i - limbs - 1] : 0;

		a->limb[i] = high << rest;
		if (rest > 0)
			a->limb[i] |= low >> (LIMB_BITS - rest);
	}
}

static void halve(struct big *a)
{
	for (unsigned int i = 0; i < BIG_LIMBS; i++) {
		a->limb[i] >>= 1;
		if (i + 1 < BIG_LIMBS)
			a->limb[i] |= a->limb[i + 1] << (LIMB_BITS - 1);
	}
}

bool big_divide(const struct big *num, const struct big *den,
		uint128 *ret_quotient, struct big *ret_rest)
{
	unsigned int num_bits = bits_of(num);
	unsigned int den_bits = bits_of(den);
	unsigned int steps = num_bits < den_bits ? 0 : num_bits - den_bits + 1;
	struct big rest = *num;
	struct big step = *den;
	uint128 quotient = 0;

	assert(den_bits > 0);
	if (steps > 2 * LIMB_BITS + 1)
		return false;
	if (steps > 0)
		shift_up(&step, steps - 1);
	for (; steps > 0; steps--) {
		if (quotient >> (2 * LIMB_BITS - 1))
			return false;
		quotient <<= 1;
		if (big_compare(&rest, &step) >= 0) {
			big_sub(&rest, &step);
			quotient |= 1;
		}
		halve(&step);
	}
	*ret_quotient = quotient;
	*ret_rest = rest;
	return true;
}

void big_divide_word(struct big *a, uint64_t by)
{
	uint128 rest = 0;

	assert(by > 0);
	for (unsigned int i = BIG_LIMBS; i-- > 0;) {
		rest = rest << LIMB_BITS | a->limb[i];
		a->limb[i] = (uint64_t)(rest / by);
		rest %= by;
	}
}

bool big_round(const struct big *num, const struct big *den, uint128 *ret_n)
{
	struct big rest;
	struct big other_half = *den;
	uint128 n;

	if (!big_divide(num, den, &n, &rest))
		return false;
	big_sub(&other_half, &rest);
	if (big_compare(&rest, &other_half) >= 0 &&
	    __builtin_add_overflow(n, 1u, &n))
		return false;
	*ret_n = n;
	return true;
}
