/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/units.h"

#define THIN_SPACE "\xe2\x80\xaf" /* U+202F, between thousands in French */

static const struct scale kept_scales[] = {
	{ 12, N_("TB.month") }, { 9, N_("GB.month") }, { 6, N_("MB.month") },
	{ 3, N_("kB.month") },	{ 0, N_("B.month") },
};
static const struct scale energy_scales[] = {
	{ 6, "kWh" },
	{ 3, "Wh" },
	{ 0, "mWh" },
};
static const struct scale money_scales[] = { { 6, "EUR" } };
static const struct scale carbon_scales[] = {
	{ 9, "kgCO₂e" },
	{ 6, "gCO₂e" },
	{ 3, "mgCO₂e" },
	{ 0, "µgCO₂e" },
};

static const struct {
	const struct scale *scale;
	unsigned int n;
} scales[] = {
	[Q_KEPT] = { kept_scales, 5 },
	[Q_ENERGY] = { energy_scales, 3 },
	[Q_MONEY] = { money_scales, 1 },
	[Q_CARBON] = { carbon_scales, 4 },
};

static uint128 power_of_10(unsigned int n)
{
	uint128 v = 1;

	while (n-- > 0)
		v *= 10;
	return v;
}

struct num num_printf(const char *fmt, ...)
{
	struct num out;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(out.s, sizeof(out.s), fmt, ap);
	va_end(ap);
	return out;
}

static void num_put(struct num *num, const char *text)
{
	size_t len = strlen(num->s);

	(void)snprintf(num->s + len, sizeof(num->s) - len, "%s", text);
}

struct num num_fixed(uint128 v, unsigned int decimals, enum po_lang lang)
{
	const char *group = lang == PO_FR ? THIN_SPACE : ",";
	char digits[WIDE_TEXT_MAX];
	struct num num = { .s = "" };
	uint128 whole = v / power_of_10(decimals);
	size_t n;

	(void)wide_text(whole, digits);
	n = strlen(digits);
	for (size_t i = 0; i < n; i++) {
		char one[2] = { digits[i], '\0' };

		/* Four digits need no groups in a year, but do in a figure. */
		if (i > 0 && (n - i) % 3 == 0)
			num_put(&num, group);
		num_put(&num, one);
	}
	if (decimals > 0) {
		char rest[WIDE_TEXT_MAX];
		size_t len;

		(void)wide_text(v % power_of_10(decimals), rest);
		len = strlen(rest);
		num_put(&num, lang == PO_FR ? "," : ".");
		for (; len < decimals; len++)
			num_put(&num, "0");
		num_put(&num, rest);
	}
	return num;
}

const struct scale *num_scale(enum quantity q, uint128 v)
{
	const struct scale *last = &scales[q].scale[scales[q].n - 1];

	/* Nothing is nothing in the unit that people know. */
	if (v == 0 && scales[q].n > 1)
		return &scales[q].scale[1];
	for (const struct scale *s = scales[q].scale; s < last; s++) {
		if (v * 10 >= power_of_10(s->power))
			return s;
	}
	return last;
}

/* The power of ten below which digits of `v` are dropped. */
static unsigned int digits_dropped(uint128 v, unsigned int digits)
{
	unsigned int drop = 0;
	uint128 limit = power_of_10(digits);

	/* 99.6 becomes 100, one digit more. */
	while ((v + power_of_10(drop) / 2) / power_of_10(drop) >= limit)
		drop++;
	return drop;
}

struct num num_digits(uint128 v, const struct scale *scale, unsigned int digits,
		      enum po_lang lang)
{
	unsigned int drop = digits_dropped(v, digits);
	unsigned int decimals = scale->power > drop ? scale->power - drop : 0;
	uint128 unit = power_of_10(drop);
	uint128 rounded = (v + unit / 2) / unit * unit;

	if (rounded == 0)
		decimals = 0;
	return num_fixed(rounded / power_of_10(scale->power - decimals),
			 decimals, lang);
}

#define CENT UINT64_C(10000) /* in microeuro */

/* Whole euros from 10 on, else cents. */
static struct num money(uint128 v, enum po_lang lang)
{
	if (v >= (uint128)(10 * MICRO))
		return num_digits(v, money_scales, 2, lang);
	return num_fixed((v + CENT / 2) / CENT, 2, lang);
}

struct num num_quantity(enum quantity q, uint128 v, enum po_lang lang)
{
	const struct scale *scale = num_scale(q, v);
	struct num n = num_digits(v, scale, q == Q_KEPT ? 3 : 2, lang);

	if (q == Q_MONEY && v > 0 && v < CENT / 2)
		return num_printf("%s", TL(lang, "less than €0.01"));
	if (q == Q_MONEY) {
		n = money(v, lang);
		return num_printf(TL(lang, "€%s"), n.s);
	}
	return num_printf("%s" NBSP "%s", n.s, TL(lang, scale->unit));
}

struct num num_interval(enum quantity q, uint128 mid, uint128 low, uint128 high,
			enum po_lang lang)
{
	const struct scale *scale = num_scale(q, mid);
	struct num from = num_digits(low, scale, 2, lang);
	struct num to = num_digits(high, scale, 2, lang);

	if (q == Q_MONEY) {
		to = num_quantity(q, high, lang);
		if (high < CENT / 2)
			return to;
		if (low < CENT / 2)
			return num_printf(TL(lang, "at most %s"), to.s);
		from = num_quantity(q, (low + CENT / 2) / CENT * CENT, lang);
	} else {
		num_put(&to, NBSP);
		num_put(&to, TL(lang, scale->unit));
	}
	return num_printf(TL(lang, "between %s and %s"), from.s, to.s);
}

struct num num_count(uint64_t n, enum po_lang lang)
{
	return num_fixed(n, 0, lang);
}

struct num num_bytes(uint64_t bytes, enum po_lang lang)
{
	char text[UNITS_TEXT_MAX];
	char *space;

	units_format_size(bytes, lang == PO_FR ? UNITS_FR : UNITS_EN, text);
	space = strchr(text, ' ');
	if (!space)
		return num_printf("%s", text);
	*space = '\0';
	return num_printf("%s" NBSP "%s", text, space + 1);
}

struct num num_micro(micro v, enum po_lang lang)
{
	unsigned int decimals = 6;

	for (; decimals > 0 && v % 10 == 0; decimals--)
		v /= 10;
	return num_fixed(v < 0 ? 0 : (uint128)v, decimals, lang);
}

struct num num_change(uint64_t before, uint64_t now, enum po_lang lang)
{
	bool more = now >= before;
	uint128 apart = more ? now - before : before - now;
	uint128 percent = (apart * 100 + before / 2) / before;
	struct num n = num_fixed(percent, 0, lang);

	if (percent == 0)
		more = true;
	return num_printf("%s%s%s%%", more ? "+" : MINUS, n.s,
			  lang == PO_FR ? NBSP : "");
}

struct num num_duration(int64_t seconds, enum po_lang lang)
{
	char text[UNITS_TEXT_MAX];

	units_format_duration(seconds, lang == PO_FR ? UNITS_FR : UNITS_EN,
			      text);
	return num_printf("%s", text);
}

uint64_t num_apportion(const uint128 *part, unsigned int n, uint128 quantum,
		       uint64_t *ret_shown)
{
	uint128 sum = 0;
	uint64_t total;
	uint64_t given = 0;

	for (unsigned int i = 0; i < n; i++) {
		sum += part[i];
		ret_shown[i] = (uint64_t)(part[i] / quantum);
		given += ret_shown[i];
	}
	total = (uint64_t)((sum + quantum / 2) / quantum);
	for (; given < total; given++) {
		unsigned int best = 0;
		uint128 most = 0;

		for (unsigned int i = 0; i < n; i++) {
			uint128 shown = (uint128)ret_shown[i] * quantum;

			if (part[i] > shown && part[i] - shown > most) {
				most = part[i] - shown;
				best = i;
			}
		}
		ret_shown[best]++;
	}
	return total;
}

uint64_t num_low(uint64_t mid, micro u)
{
	return (uint64_t)((uint128)mid * (uint128)MICRO /
			  (uint128)(u < MICRO ? MICRO : u));
}

uint64_t num_high(uint64_t mid, micro u)
{
	return (uint64_t)((uint128)mid * (uint128)(u < MICRO ? MICRO : u) /
			  (uint128)MICRO);
}

void num_plain(struct buf *out, uint128 v, unsigned int decimals, char point)
{
	char digits[WIDE_TEXT_MAX];
	size_t len;
	size_t whole;

	(void)wide_text(v, digits);
	len = strlen(digits);
	whole = len > decimals ? len - decimals : 0;
	if (whole == 0)
		(void)buf_put_str(out, "0");
	(void)buf_put(out, digits, whole);
	if (decimals > 0)
		(void)buf_put_u8(out, (uint8_t)point);
	for (size_t i = len; i < decimals; i++)
		(void)buf_put_str(out, "0");
	(void)buf_put_str(out, digits + whole);
}
