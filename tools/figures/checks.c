/* SPDX-License-Identifier: EUPL-1.2 */
/* The checks that failed when a month was closed. */
#include "tools/figures/internal.h"

#include <stdio.h>
#include <string.h>

static struct report_check *add(struct report_checks *checks, const char *name,
				const char *text)
{
	struct report_check *to = NULL;

	if (checks->n < REPORT_CHECKS) {
		to = &checks->check[checks->n];
		*to = (struct report_check){ .has_numbers = false };
		(void)snprintf(to->name, sizeof(to->name), "%s", name);
		(void)snprintf(to->text, sizeof(to->text), "%s", text);
	}
	if (checks->n < INT32_MAX)
		checks->n++;
	return to;
}

void checks_add(struct report_checks *checks, const char *name,
		const char *text)
{
	(void)add(checks, name, text);
}

void checks_add_numbers(struct report_checks *checks, const char *name,
			const char *text, uint64_t counted, uint64_t found)
{
	struct report_check *to = add(checks, name, text);

	if (!to)
		return;
	to->has_numbers = true;
	to->counted = counted;
	to->found = found;
}

static int number_out(json_t *to, const char *key, uint64_t v)
{
	char text[WIDE_TEXT_MAX];

	return json_object_set_new(to, key, json_string(wide_text(v, text)));
}

static json_t *check_out(const struct report_check *check)
{
	json_t *to = json_pack("{s:s, s:s}", "name", check->name, "text",
			       check->text);

	if (to && (!check->has_numbers ||
		   (number_out(to, "counted", check->counted) == 0 &&
		    number_out(to, "found", check->found) == 0)))
		return to;
	json_decref(to);
	return NULL;
}

json_t *checks_json(const struct report_checks *checks)
{
	json_t *to = json_array();

	for (unsigned int i = 0; to && i < checks->n && i < REPORT_CHECKS;
	     i++) {
		if (json_array_append_new(to, check_out(&checks->check[i])) ==
		    0)
			continue;
		json_decref(to);
		to = NULL;
	}
	return to;
}

static bool u64_in(const json_t *from, uint64_t *ret_value)
{
	uint128 v;

	if (!wide_in(json_string_value(from), &v) || v > UINT64_MAX)
		return false;
	*ret_value = (uint64_t)v;
	return true;
}

static bool check_in(const json_t *from, struct report_checks *to)
{
	const char *name = json_string_value(json_object_get(from, "name"));
	const char *text = json_string_value(json_object_get(from, "text"));
	const json_t *counted = json_object_get(from, "counted");
	uint64_t number[2];

	if (!name || !text)
		return false;
	if (!counted) {
		checks_add(to, name, text);
		return true;
	}
	if (!u64_in(counted, &number[0]) ||
	    !u64_in(json_object_get(from, "found"), &number[1]))
		return false;
	checks_add_numbers(to, name, text, number[0], number[1]);
	return true;
}

bool checks_in(const json_t *from, const json_t *n,
	       struct report_checks *ret_checks)
{
	struct report_checks checks = { .n = 0 };
	json_int_t all = json_integer_value(n);

	if (!json_is_array(from))
		return false;
	for (size_t i = 0; i < json_array_size(from); i++)
		if (!check_in(json_array_get(from, i), &checks))
			return false;
	if (all > checks.n && all <= INT32_MAX)
		checks.n = (unsigned int)all;
	*ret_checks = checks;
	return true;
}
