/* SPDX-License-Identifier: EUPL-1.2 */
/* Flows as JSON, in a closed month, and back: docs/format/month.md. */
#include <stddef.h>

#include "fs/base/tier.h"
#include "tools/figures/internal.h"

#define FLOW(key, member)                                            \
	{                                                            \
		key, KIND_WIDE, offsetof(struct report_flow, member) \
	}
static const struct field flow_fields[] = {
	FLOW("came_byte_s", came_byte_s),
	FLOW("went_byte_s", went_byte_s),
};

static int flow_out(json_t *to, enum report_cause cause,
		    const struct report_flow *flow)
{
	json_t *one;

	if (flow->came_byte_s == 0 && flow->went_byte_s == 0)
		return 0;
	one = json_object();
	if (fields_out(one, FIELDS(flow_fields), flow) == 0)
		return json_object_set_new(to, report_cause_id(cause), one);
	json_decref(one);
	return -1;
}

static json_t *line_out(const struct report_flow_line *line)
{
	json_t *to = json_object();
	int rc = to ? 0 : -1;

	for (unsigned int i = 0; rc == 0 && i < REPORT_CAUSES; i++)
		rc = flow_out(to, (enum report_cause)i, &line->cause[i]);
	if (rc == 0)
		return to;
	json_decref(to);
	return NULL;
}

json_t *flows_out(const struct report_flows *flows)
{
	json_t *list = json_array();
	int rc = list ? 0 : -1;

	for (uint16_t i = 0; rc == 0 && i < flows->departments; i++)
		rc = json_array_append_new(list,
					   line_out(&flows->department[i]));
	if (rc == 0)
		return json_pack("{s:I, s:o, s:o}", "since_s",
				 (json_int_t)flows->since_s, "city",
				 line_out(&flows->city), "departments", list);
	json_decref(list);
	return NULL;
}

static bool line_in(const json_t *from, struct report_flow_line *to)
{
	if (!json_is_object(from))
		return false;
	for (unsigned int i = 0; i < REPORT_CAUSES; i++) {
		const json_t *one = json_object_get(
			from, report_cause_id((enum report_cause)i));

		if (one && !fields_in(one, FIELDS(flow_fields), &to->cause[i]))
			return false;
	}
	return true;
}

struct report_flows *flows_in(const json_t *from)
{
	const json_t *list = json_object_get(from, "departments");
	size_t n = json_array_size(list);
	struct report_flows *flows;
	bool good;

	if (n < 1 || n > DEPARTMENTS_MAX)
		return NULL;
	flows = flows_new((uint16_t)n);
	if (!flows)
		return NULL;
	flows->since_s = json_integer_value(json_object_get(from, "since_s"));
	good = line_in(json_object_get(from, "city"), &flows->city);
	for (uint16_t i = 0; good && i < flows->departments; i++)
		good = line_in(json_array_get(list, i), &flows->department[i]);
	if (good)
		return flows;
	flows_free(flows);
	return NULL;
}
