/* SPDX-License-Identifier: EUPL-1.2 */
/* A survey as JSON, in a closed month, and back: docs/format/month.md. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "fs/base/tier.h"
#include "tools/figures/internal.h"

#define SUM(key, member)                                           \
	{                                                          \
		key, KIND_U64, offsetof(struct report_sum, member) \
	}
static const struct field sum_fields[] = {
	SUM("files", files),
	SUM("plain_bytes", plain_bytes),
	SUM("packed_bytes", packed_bytes),
};

#define GAIN(key, member)                                           \
	{                                                           \
		key, KIND_U64, offsetof(struct report_gain, member) \
	}
static const struct field gain_fields[] = {
	GAIN("files", files),
	GAIN("gain_bytes", gain_bytes),
};

typedef const char *id_fn(unsigned int i);

static const char *age_id(unsigned int i)
{
	return report_age_id((enum report_age)i);
}
static const char *kind_id(unsigned int i)
{
	return report_kind_id((enum report_kind)i);
}

/* --- out ------------------------------------------------------------------ */

/* One that holds nothing is left out: most departments lack some kinds. */
static int sum_out(json_t *to, const char *id, const struct report_sum *sum)
{
	json_t *one;

	if (sum->files == 0)
		return 0;
	one = json_object();
	if (fields_out(one, FIELDS(sum_fields), sum) == 0)
		return json_object_set_new(to, id, one);
	json_decref(one);
	return -1;
}

static json_t *sums_out(const struct report_sum *sum, unsigned int n, id_fn *id)
{
	json_t *to = json_object();
	int rc = to ? 0 : -1;

	for (unsigned int i = 0; rc == 0 && i < n; i++)
		rc = sum_out(to, id(i), &sum[i]);
	if (rc == 0)
		return to;
	json_decref(to);
	return NULL;
}

static json_t *gains_out(const struct report_gain *gain)
{
	json_t *to = json_object();
	int rc = to ? 0 : -1;

	for (unsigned int i = 0; rc == 0 && i < REPORT_ACTIONS; i++) {
		json_t *one = gain[i].files ? json_object() : NULL;

		if (gain[i].files == 0)
			continue;
		rc = fields_out(one, FIELDS(gain_fields), &gain[i]);
		if (rc < 0)
			json_decref(one);
		else
			rc = json_object_set_new(
				to, report_action_id((enum report_action)i),
				one);
	}
	if (rc == 0)
		return to;
	json_decref(to);
	return NULL;
}

/* Surveys of before have none. */
static bool gains_in(const json_t *from, struct report_gain *gain)
{
	for (unsigned int i = 0; i < REPORT_ACTIONS; i++) {
		const json_t *one = json_object_get(
			from, report_action_id((enum report_action)i));

		if (one && !fields_in(one, FIELDS(gain_fields), &gain[i]))
			return false;
	}
	return true;
}

static json_t *stock_out(const struct report_stock *stock)
{
	return json_pack("{s:o, s:o, s:o}", "actions", gains_out(stock->action),
			 "last_use", sums_out(stock->age, REPORT_AGES, age_id),
			 "kinds", sums_out(stock->kind, REPORT_KINDS, kind_id));
}

json_t *survey_out(const struct report_survey *survey)
{
	json_t *list = json_array();
	int rc = list ? 0 : -1;

	for (uint16_t i = 0; rc == 0 && i < survey->departments; i++)
		rc = json_array_append_new(list,
					   stock_out(&survey->department[i]));
	if (rc == 0)
		return json_pack("{s:I, s:o, s:o}", "taken_s",
				 (json_int_t)survey->taken_s, "city",
				 stock_out(&survey->city), "departments", list);
	json_decref(list);
	return NULL;
}

/* --- in ------------------------------------------------------------------- */

static bool sums_in(const json_t *from, struct report_sum *sum, unsigned int n,
		    id_fn *id)
{
	if (!json_is_object(from))
		return false;
	for (unsigned int i = 0; i < n; i++) {
		const json_t *one = json_object_get(from, id(i));

		if (one && !fields_in(one, FIELDS(sum_fields), &sum[i]))
			return false;
	}
	return true;
}

static bool stock_in(const json_t *from, struct report_stock *to)
{
	return gains_in(json_object_get(from, "actions"), to->action) &&
	       sums_in(json_object_get(from, "last_use"), to->age, REPORT_AGES,
		       age_id) &&
	       sums_in(json_object_get(from, "kinds"), to->kind, REPORT_KINDS,
		       kind_id);
}

static bool parts_in(const json_t *from, const json_t *list,
		     struct report_survey *to)
{
	to->taken_s = json_integer_value(json_object_get(from, "taken_s"));
	for (uint16_t i = 0; i < to->departments; i++)
		if (!stock_in(json_array_get(list, i), &to->department[i]))
			return false;
	return stock_in(json_object_get(from, "city"), &to->city);
}

struct report_survey *survey_in(const json_t *from)
{
	const json_t *list = json_object_get(from, "departments");
	size_t n = json_array_size(list);
	struct report_survey *survey = NULL;

	if (n < 1 || n > DEPARTMENTS_MAX)
		return NULL;
	survey = survey_new((uint16_t)n);
	if (!survey || parts_in(from, list, survey))
		return survey;
	survey_free(survey);
	return NULL;
}
