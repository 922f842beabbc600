/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Why what departments hold changed. Each cause has two running sums for each
 * set, of what it added and of what it took, that only grow: they are kept and
 * accrued as holdings are, under tiers of their own.
 */
#include <errno.h>
#include <stdlib.h>

#include "fs/ledger/internal.h"

static enum tier flow_tier(enum ledger_cause cause, bool less)
{
	return (enum tier)(TIER_FLOWS + 2 * (unsigned int)cause + less);
}

int flow_add(struct ledger *ledger, enum ledger_cause cause,
	     const struct dept_set *set, int64_t bytes, struct error *err)
{
	const enum tier tier = flow_tier(cause, bytes < 0);

	if (bytes == 0 || set->n == 0)
		return 0;
	if (bytes < 0)
		bytes = -bytes;
	return ledger->in_hook
		       ? deltas_add(&ledger->deltas, tier, set, bytes, err)
		       : holding_add(ledger, tier, set, bytes, err);
}

/* Blocks of a file that is, or was, a stub change because it was packed or
 * unpacked. */
static enum ledger_cause cause_of(const struct charge *old,
				  const struct charge *charge, int64_t more)
{
	if (old->packed || charge->packed)
		return CAUSE_PACKED;
	return more > 0 ? CAUSE_NEW : CAUSE_GONE;
}

int flow_blocks(struct ledger *ledger, const struct charge *old,
		const struct charge *charge, struct error *err)
{
	const int64_t had = 512 * old->blocks;
	const int64_t more = 512 * charge->blocks - had;
	int rc = 0;

	if (old->set.n == 0)
		return flow_add(ledger, CAUSE_NEW, &charge->set,
				512 * charge->blocks, err);
	if (charge->set.n == 0)
		return flow_add(ledger, CAUSE_GONE, &old->set, -had, err);
	if (!dept_set_same(&old->set, &charge->set)) {
		rc = flow_add(ledger, CAUSE_MOVED, &old->set, -had, err);
		if (rc == 0)
			rc = flow_add(ledger, CAUSE_MOVED, &charge->set, had,
				      err);
	}
	return rc < 0 ? rc
		      : flow_add(ledger, cause_of(old, charge, more),
				 &charge->set, more, err);
}

/* --- reading -------------------------------------------------------------- */

int ledger_flows_get(struct catalog *cat, int32_t month, int64_t now_s,
		     struct ledger_flows *ret_flows, struct error *err)
{
	struct ledger_month m = { .month = month };
	struct ledger_flows flows = { .n = 0 };
	int rc = month_rows(cat, true, now_s, &m, err);

	if (rc < 0)
		return rc;
	flows.since_s = catalog_meta_get(cat, META_FLOWS, INT64_MAX);
	flows.row = calloc(m.n + 1U, sizeof(*flows.row));
	for (unsigned int i = 0; flows.row != NULL && i < m.n; i++) {
		const unsigned int code = m.row[i].tier - TIER_FLOWS;

		flows.row[flows.n++] = (struct ledger_flow){
			.set = m.row[i].set,
			.cause = (enum ledger_cause)(code / 2),
			.less = code % 2 != 0,
			.byte_seconds = m.row[i].byte_seconds,
		};
	}
	ledger_month_release(&m);
	if (flows.row == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	*ret_flows = flows;
	return 0;
}

void ledger_flows_release(struct ledger_flows *flows)
{
	free(flows->row);
	flows->row = NULL;
	flows->n = 0;
}
