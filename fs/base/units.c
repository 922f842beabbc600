/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MINUTE_S INT64_C(60)
#define HOUR_S	 (60 * MINUTE_S)
#define DAY_S	 (24 * HOUR_S)

struct duration_unit {
	const char *name;
	int64_t s;
};

static const struct duration_unit duration_units[] = {
	{ "s", 1 },
	{ "sec", 1 },
	{ "second", 1 },
	{ "seconds", 1 },
	{ "seconde", 1 },
	{ "secondes", 1 },
	{ "min", MINUTE_S },
	{ "minute", MINUTE_S },
	{ "minutes", MINUTE_S },
	{ "h", HOUR_S },
	{ "hour", HOUR_S },
	{ "hours", HOUR_S },
	{ "heure", HOUR_S },
	{ "heures", HOUR_S },
	{ "d", DAY_S },
	{ "day", DAY_S },
	{ "days", DAY_S },
	{ "j", DAY_S },
	{ "jour", DAY_S },
	{ "jours", DAY_S },
	{ "week", 7 * DAY_S },
	{ "weeks", 7 * DAY_S },
	{ "semaine", 7 * DAY_S },
	{ "semaines", 7 * DAY_S },
	{ "month", 30 * DAY_S },
	{ "months", 30 * DAY_S },
	{ "mois", 30 * DAY_S },
	{ "year", 365 * DAY_S },
	{ "years", 365 * DAY_S },
	{ "an", 365 * DAY_S },
	{ "ans", 365 * DAY_S },
	{ "année", 365 * DAY_S },
	{ "années", 365 * DAY_S },
	{ "annee", 365 * DAY_S },
	{ "annees", 365 * DAY_S },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_spaces(const char *at)
{
	static const char nbsp[] = "\xc2\xa0";
	static const char narrow_nbsp[] = "\xe2\x80\xaf";

	for (;;) {
		if (*at == ' ' || *at == '\t')
			at++;
		else if (!strncmp(at, nbsp, strlen(nbsp)))
			at += strlen(nbsp);
		else if (!strncmp(at, narrow_nbsp, strlen(narrow_nbsp)))
			at += strlen(narrow_nbsp);
		else
			return at;
	}
}

/* Reads digits; false on overflow or when there is none. */
static bool read_number(const char **at, uint64_t *ret_n)
{
	uint64_t n = 0;
	const char *start = *at;

	for (; is_digit(**at); (*at)++) {
		uint64_t digit = (uint64_t)(**at - '0');

		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, digit, &n))
			return false;
	}
	*ret_n = n;
	return *at != start;
}

/* The unit's length without the spaces that may follow it. */
static size_t word_length(const char *word)
{
	size_t len = strlen(word);

	while (len > 0 && (word[len - 1] == ' ' || word[len - 1] == '\t'))
		len--;
	return len;
}

static bool same_word(const char *a, size_t len, const char *b)
{
	return strlen(b) == len && !strncasecmp(a, b, len);
}

int units_parse_duration(const char *text, int64_t *ret_s, struct error *err)
{
	const char *at = skip_spaces(text);
	uint64_t n;
	size_t len;

	if (!is_digit(*at))
		return error_set(err, -EINVAL,
				 "'%.64s' is not a duration like '30 days'",
				 text);
	if (!read_number(&at, &n) || n > INT64_MAX)
		return error_set(err, -ERANGE, "'%.64s' is too long a time",
				 text);
	at = skip_spaces(at);
	len = word_length(at);
	for (size_t i = 0;
	     i < sizeof(duration_units) / sizeof(duration_units[0]); i++) {
		int64_t s;

		if (!same_word(at, len, duration_units[i].name))
			continue;
		if (__builtin_mul_overflow((int64_t)n, duration_units[i].s, &s))
			return error_set(err, -ERANGE,
					 "'%.64s' is too long a time", text);
		*ret_s = s;
		return 0;
	}
	if (len == 0)
		return error_set(err, -EINVAL,
				 "'%.64s' has no unit: s, min, h, days, weeks, "
				 "months, years",
				 text);
	return error_set(err, -EINVAL, "'%.64s' has an unknown unit of time",
			 text);
}

/* "kB", "KiB", "ko"… to the number of bytes it stands for; 0: unknown. */
static uint64_t size_unit(const char *word, size_t len)
{
	static const char prefixes[] = "kmgtpe";
	bool binary = false;
	uint64_t unit = 1;
	const char *prefix;

	if (same_word(word, len, "octet") || same_word(word, len, "octets") ||
	    same_word(word, len, "byte") || same_word(word, len, "bytes"))
		return 1;
	if (len == 0 || !strchr("bBoO", word[len - 1]))
		return 0;
	if (len == 1)
		return 1;
	prefix = strchr(prefixes, word[0] | 0x20);
	if (!prefix || !*prefix)
		return 0;
	if (len == 3 && (word[1] == 'i' || word[1] == 'I'))
		binary = true;
	else if (len != 2)
		return 0;
	for (const char *p = prefixes; p <= prefix; p++)
		unit *= binary ? 1024 : 1000;
	return unit;
}

/* Up to 9 decimals, as billionths. */
static bool read_billionths(const char **at, uint64_t *ret_billionths)
{
	uint64_t scale = 1000000000;
	uint64_t n = 0;

	while (is_digit(**at)) {
		if (scale == 1)
			return false;
		scale /= 10;
		n += (uint64_t)(**at - '0') * scale;
		(*at)++;
	}
	*ret_billionths = n;
	return true;
}

int units_parse_size(const char *text, uint64_t *ret_bytes, struct error *err)
{
	const char *at = skip_spaces(text);
	uint64_t billionths = 0;
	uint64_t whole;
	uint64_t unit;
	__uint128_t size;

	if (!is_digit(*at))
		return error_set(err, -EINVAL,
				 "'%.64s' is not a size like '10 GB'", text);
	if (!read_number(&at, &whole))
		return error_set(err, -ERANGE, "'%.64s' is too big", text);
	if (*at == '.' || *at == ',') {
		at++;
		if (!is_digit(*at) || !read_billionths(&at, &billionths))
			return error_set(err, -EINVAL,
					 "'%.64s' has bad decimals", text);
	}
	at = skip_spaces(at);
	unit = size_unit(at, word_length(at));
	if (unit == 0)
		return error_set(err, -EINVAL,
				 "'%.64s' has no unit of size: B, kB, MB, GB, "
				 "TB, KiB, MiB, GiB, TiB",
				 text);
	size = (__uint128_t)whole * unit +
	       (__uint128_t)billionths * unit / 1000000000u;
	if (size > UINT64_MAX)
		return error_set(err, -ERANGE, "'%.64s' is too big", text);
	*ret_bytes = (uint64_t)size;
	return 0;
}

void units_format_size(uint64_t size_bytes, enum units_lang lang,
		       char ret_text[UNITS_TEXT_MAX])
{
	static const char prefixes[] = "\0kMGTPE";
	char letter = lang == UNITS_FR ? 'o' : 'B';
	unsigned int power = 0;
	uint64_t unit = 1;
	uint64_t tenths;

	while (power < 6 && size_bytes / unit >= 1000) {
		unit *= 1000;
		power++;
	}
	if (power == 0) {
		(void)snprintf(ret_text, UNITS_TEXT_MAX, "%" PRIu64 " %c",
			       size_bytes, letter);
		return;
	}
	tenths = (uint64_t)(((__uint128_t)size_bytes * 10 + unit / 2) / unit);
	/* 999.96 MB is 1.0 GB, never 1000.0 MB. */
	if (tenths >= 10000 && power < 6) {
		tenths = 10;
		power++;
	}
	(void)snprintf(ret_text, UNITS_TEXT_MAX,
		       "%" PRIu64 "%c%" PRIu64 " %c%c", tenths / 10,
		       lang == UNITS_FR ? ',' : '.', tenths % 10,
		       prefixes[power], letter);
}

struct duration_step {
	int64_t s;
	const char *en[2]; /* one, many */
	const char *fr[2];
};

static const struct duration_step duration_steps[] = {
	{ 365 * DAY_S, { "year", "years" }, { "an", "ans" } },
	{ DAY_S, { "day", "days" }, { "jour", "jours" } },
	{ HOUR_S, { "h", "h" }, { "h", "h" } },
	{ MINUTE_S, { "min", "min" }, { "min", "min" } },
	{ 1, { "s", "s" }, { "s", "s" } },
};
#define DURATION_STEPS (sizeof(duration_steps) / sizeof(duration_steps[0]))

static size_t put_step(const struct duration_step *step, int64_t n,
		       enum units_lang lang, char *out, size_t room)
{
	const char *const *names = lang == UNITS_FR ? step->fr : step->en;
	int len = snprintf(out, room, "%" PRId64 " %s", n, names[n > 1]);

	return len < 0 ? 0 : (size_t)len;
}

void units_format_duration(int64_t duration_s, enum units_lang lang,
			   char ret_text[UNITS_TEXT_MAX])
{
	int64_t left = duration_s > 0 ? duration_s : 0;
	size_t i = 0;
	size_t len;

	while (i + 1 < DURATION_STEPS && left < duration_steps[i].s)
		i++;
	len = put_step(&duration_steps[i], left / duration_steps[i].s, lang,
		       ret_text, UNITS_TEXT_MAX);
	left %= duration_steps[i].s;
	if (i + 1 == DURATION_STEPS || len + 1 >= UNITS_TEXT_MAX)
		return;
	i++;
	if (left / duration_steps[i].s == 0)
		return;
	ret_text[len++] = ' ';
	(void)put_step(&duration_steps[i], left / duration_steps[i].s, lang,
		       ret_text + len, UNITS_TEXT_MAX - len);
}
