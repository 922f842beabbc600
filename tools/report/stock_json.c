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

json_t *stock_json(const struct page *p)
{
	const struct report_stock *stock = stock_of(p);
	struct num taken;

	if (!stock)
		return json_null();
	taken = date_iso(p->month->survey->taken_s);
	return json_pack("{s:s, s:o, s:o}", "taken", taken.s, "last_use",
			 sums(stock->age, REPORT_AGES, age_id), "kinds",
			 sums(stock->kind, REPORT_KINDS, kind_id));
}
