/* SPDX-License-Identifier: EUPL-1.2 */
#include <jansson.h>

#include "tools/report/internal.h"

typedef const char *id_fn(unsigned int i);

static const char *age_id(unsigned int i)
{
	return report_age_id((enum report_age)i);
}
static const char *kind_id(unsigned int i)
{
	return report_kind_id((enum report_kind)i);
}

static json_t *sums(const struct report_sum *sum, unsigned int n, id_fn *id)
{
	json_t *to = json_object();
	int rc = to ? 0 : -1;

	for (unsigned int i = 0; rc == 0 && i < n; i++)
		rc = json_object_set_new(
			to, id(i),
			json_pack("{s:I, s:I, s:I}", "files",
				  (json_int_t)sum[i].files, "plain_bytes",
				  (json_int_t)sum[i].plain_bytes,
				  "packed_bytes",
				  (json_int_t)sum[i].packed_bytes));
	if (rc == 0)
		return to;
	json_decref(to);
	return NULL;
}

static int flow_put(json_t *to, const char *id, const struct report_flow *flow)
{
	char came[WIDE_TEXT_MAX];
	char went[WIDE_TEXT_MAX];

	return json_object_set_new(
		to, id,
		json_pack("{s:s, s:s}", "came_byte_s",
			  wide_text(flow->came_byte_s, came), "went_byte_s",
			  wide_text(flow->went_byte_s, went)));
}

json_t *flows_json(const struct page *p)
{
	const struct report_flow_line *flows = flows_of(p, p->month);
	json_t *to;
	struct num since;
	int rc;

	if (!flows)
		return json_null();
	since = date_iso(p->month->flows->since_s);
	to = json_pack("{s:s}", "since", since.s);
	rc = to ? 0 : -1;
	for (unsigned int i = 0; rc == 0 && i < REPORT_CAUSES; i++)
		rc = flow_put(to, report_cause_id((enum report_cause)i),
			      &flows->cause[i]);
	if (rc == 0)
		return to;
	json_decref(to);
	return NULL;
}

static json_t *gains(const struct report_gain *gain)
{
	json_t *to = json_object();
	int rc = to ? 0 : -1;

	for (unsigned int i = 0; rc == 0 && i < REPORT_ACTIONS; i++)
		rc = json_object_set_new(
			to, report_action_id((enum report_action)i),
			json_pack("{s:I, s:I}", "files",
				  (json_int_t)gain[i].files, "gain_bytes",
				  (json_int_t)gain[i].gain_bytes));
	if (rc == 0)
		return to;
	json_decref(to);
	return NULL;
}

json_t *stock_json(const struct page *p)
{
	const struct report_stock *stock = stock_of(p);
	struct num taken;

	if (!stock)
		return json_null();
	taken = date_iso(p->month->survey->taken_s);
	return json_pack("{s:s, s:o, s:o, s:o}", "taken", taken.s, "actions",
			 gains(stock->action), "last_use",
			 sums(stock->age, REPORT_AGES, age_id), "kinds",
			 sums(stock->kind, REPORT_KINDS, kind_id));
}
