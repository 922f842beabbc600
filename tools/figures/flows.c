/* SPDX-License-Identifier: EUPL-1.2 */
/* Why what is stored changed: the ledger's sets made into departments. */
#include <errno.h>
#include <stdlib.h>

#include "fs/ledger/ledger.h"
#include "tools/figures/internal.h"

_Static_assert((int)REPORT_CAUSES == (int)LEDGER_CAUSES, "each is told");

struct report_flows *flows_new(uint16_t departments)
{
	struct report_flows *flows = calloc(1, sizeof(*flows));

	if (!flows)
		return NULL;
	flows->departments = departments;
	flows->department = calloc(departments, sizeof(*flows->department));
	if (flows->department)
		return flows;
	free(flows);
	return NULL;
}

void flows_free(struct report_flows *flows)
{
	if (!flows)
		return;
	free(flows->department);
	free(flows);
}

/* Part `i` of `n`; all parts add up. */
static uint128 part(uint128 v, unsigned int i, unsigned int n)
{
	return v / n + (i < v % n);
}

static void add(struct report_flow *to, const struct ledger_flow *row,
		uint128 byte_s)
{
	if (row->less)
		to->went_byte_s += byte_s;
	else
		to->came_byte_s += byte_s;
}

static void fill(struct report_flows *to, const struct ledger_flows *from)
{
	to->since_s = from->since_s;
	for (unsigned int i = 0; i < from->n; i++) {
		const struct ledger_flow *row = &from->row[i];

		add(&to->city.cause[row->cause], row, row->byte_seconds);
		for (unsigned int k = 0; k < row->set.n; k++) {
			const uint16_t number = row->set.member[k];

			if (number < to->departments)
				add(&to->department[number].cause[row->cause],
				    row,
				    part(row->byte_seconds, k, row->set.n));
		}
	}
}

int flows_take(const struct figures_source *from, struct report_month *month,
	       struct error *err)
{
	struct ledger_flows flows;
	int rc = ledger_flows_get(from->cat, month->month, from->now_s, &flows,
				  err);

	if (rc < 0)
		return rc;
	if (flows.since_s < month->end_s) {
		month->flows = flows_new(month->energy.departments);
		if (month->flows)
			fill(month->flows, &flows);
		else
			rc = error_set(err, -ENOMEM, "no memory for flows");
	}
	ledger_flows_release(&flows);
	return rc;
}
