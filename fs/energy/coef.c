/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/energy/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fs/base/hash.h"

struct row {
	struct coef coef;
	micro least; /* what it can be at all */
	micro most;
};

/* A decimal of the source text, to the nearest millionth: when compiled. */
#define DECIMAL(d) ((micro)((d)*1e6 + 0.5))
#define N_(msgid)  msgid

/* clang-format off */
#define X(id_, name_, label_, unit_, quality_, low_, value_, high_,	\
	  least_, most_, year_, source_, url_)				\
	[COEF_##id_] = {						\
		.coef = { .id = (name_), .label = (label_),		\
			  .low = DECIMAL(low_),				\
			  .value = DECIMAL(value_),			\
			  .high = DECIMAL(high_), .unit = (unit_),	\
			  .quality = (quality_), .source = (source_),	\
			  .url = (url_), .source_year = (year_) },	\
		.least = DECIMAL(least_), .most = DECIMAL(most_),	\
	},
/* clang-format on */
static const struct row rows[COEFS] = {
#include "fs/energy/coef.def"
};
#undef X

void coef_set_default(struct coef_set *ret_set)
{
	for (unsigned int i = 0; i < COEFS; i++)
		ret_set->coef[i] = rows[i].coef;
}

void coef_bounds(enum coef_id id, micro *ret_least, micro *ret_most)
{
	*ret_least = rows[id].least;
	*ret_most = rows[id].most;
}

static bool in_range(enum coef_id id, micro value)
{
	return value >= rows[id].least && value <= rows[id].most;
}

int coef_set_check(const struct coef_set *set, struct error *err)
{
	for (unsigned int i = 0; i < COEFS; i++)
		if (!in_range((enum coef_id)i, set->coef[i].value))
			return error_set(err, -EINVAL,
					 "coefficient '%s' is out of range",
					 rows[i].coef.id);
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int micro_parse(const char *text, micro *ret_value)
{
	micro value = 0;
	micro unit = MICRO;

	if (!is_digit(*text))
		return -EINVAL;
	for (; is_digit(*text); text++) {
		value = value * 10 + (*text - '0') * MICRO;
		if (value > INT64_MAX / 100)
			return -ERANGE;
	}
	if (*text == '\0') {
		*ret_value = value;
		return 0;
	}
	if ((*text != '.' && *text != ',') || !is_digit(text[1]))
		return -EINVAL;
	for (text++; is_digit(*text) && unit > 1; text++) {
		unit /= 10;
		value += (*text - '0') * unit;
	}
	if (is_digit(*text))
		return -ERANGE;
	*ret_value = value;
	return *text == '\0' ? 0 : -EINVAL;
}

int coef_set_put(struct coef_set *set, enum coef_id id, const char *decimal,
		 struct error *err)
{
	struct coef *coef = &set->coef[id];
	micro value;
	int rc = micro_parse(decimal, &value);

	if (rc == -EINVAL)
		return error_set(err, rc, "'%.64s' is not a number like 0.16",
				 decimal);
	if (rc < 0)
		return error_set(err, rc,
				 "'%.64s' is too big, or has more than 6 "
				 "decimals",
				 decimal);
	if (!in_range(id, value))
		return error_set(err, -ERANGE,
				 "'%.64s' can't be: '%s' is from %g to %g",
				 decimal, coef->id,
				 (double)rows[id].least / (double)MICRO,
				 (double)rows[id].most / (double)MICRO);
	coef->low = value;
	coef->value = value;
	coef->high = value;
	coef->configured = true;
	return 0;
}

void coef_set_version(const struct coef_set *set,
		      char ret_text[COEF_VERSION_BYTES])
{
	char text[COEFS * 96];
	size_t len = 0;

	for (unsigned int i = 0; i < COEFS; i++) {
		const struct coef *c = &set->coef[i];
		int n = snprintf(text + len, sizeof(text) - len,
				 "%s %" PRId64 " %" PRId64 " %" PRId64 "\n",
				 rows[i].coef.id, c->low, c->value, c->high);

		len += n > 0 ? (size_t)n : 0;
	}
	(void)snprintf(ret_text, COEF_VERSION_BYTES, "%016" PRIx64,
		       hash64(text, len));
}
