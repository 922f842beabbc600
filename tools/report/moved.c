/* SPDX-License-Identifier: EUPL-1.2 */
/* Why a month stores more or less than the one before, to the byte. */
#include <string.h>

#include "tools/report/internal.h"

const char *report_cause_id(enum report_cause cause)
{
	static const char *const ids[REPORT_CAUSES] = { "new", "gone", "packed",
							"moved", "shared" };

	return ids[cause];
}

const char *cause_name(enum report_cause cause, enum po_lang lang)
{
	static const char *const names[REPORT_CAUSES] = {
		N_("New files, and those that grew"),
		N_("Deleted, and those that shrank"),
		N_("Packing and copies kept once"),
		N_("Moved between departments"),
		N_("Sharing: others came or left"),
	};

	return TL(lang, names[cause]);
}

const struct report_flow_line *flows_of(const struct page *p,
					const struct report_month *m)
{
	const struct report_flows *f = m->flows;

	if (!f || !p->department)
		return f ? &f->city : NULL;
	return p->department->number < f->departments
		       ? &f->department[p->department->number]
		       : NULL;
}

static int64_t fit(uint128 v)
{
	return v < INT64_MAX / 16 ? (int64_t)v : INT64_MAX / 16;
}

static int64_t mean(const struct report_month *m, uint128 byte_s)
{
	return fit(byte_s / (uint64_t)month_counted_s(m));
}

struct stand {
	int64_t stored, archive, overhead; /* bytes, means of a month */
	int64_t flow[REPORT_CAUSES];
	int64_t mwh;
};

/* Of a department; of the city all but the reserve. */
static struct stand stand_of(const struct page *p, const struct report_month *m)
{
	const struct report_flow_line *flows = flows_of(p, m);
	const struct energy_month *e = &m->energy;
	struct energy_line line = line_for(m, p->department);
	struct stand s = { .mwh = fit(line.mwh.all) };
	uint128 stored = line.own_byte_s + line.shared_byte_s;

	if (!p->department) {
		stored -= e->reserve.own_byte_s;
		s.mwh -= fit(e->reserve.mwh.all);
		s.overhead = mean(m, e->overhead.own_byte_s +
					     e->overhead.shared_byte_s);
	}
	s.stored = mean(m, stored);
	s.archive = mean(m, line.tier_byte_s[TIER_ARCHIVE]);
	for (unsigned int i = 0; i < REPORT_CAUSES; i++)
		s.flow[i] = mean(m, flows->cause[i].came_byte_s) -
			    mean(m, flows->cause[i].went_byte_s);
	return s;
}

static void put(struct moved *to, const char *name, int64_t bytes, int64_t mwh)
{
	to->row[to->n++] =
		(struct moved_row){ .name = name, .bytes = bytes, .mwh = mwh };
	to->told += bytes;
	to->told_mwh += mwh;
}

/* At what a byte took this month. */
static int64_t energy_of(const struct stand *now, int64_t bytes)
{
	return now->stored > 0
		       ? (int64_t)((int128)bytes * now->mwh / now->stored)
		       : 0;
}

static void put_cause(struct moved *to, const struct stand *now,
		      const char *name, int64_t bytes)
{
	if (bytes != 0)
		put(to, name, bytes, energy_of(now, bytes));
}

/* Means are rounded down: what is less than that is no cause. */
#define ROUNDED (INT64_C(4) * (REPORT_CAUSES + 3))

static void put_rest(struct moved *to, const struct page *p,
		     const struct stand *now)
{
	int64_t rest = to->after - to->before - to->told;
	int64_t other = rest > ROUNDED || rest < -ROUNDED ? rest : 0;

	put_cause(to, now, PT(p, "Not explained: counted anew"), other);
	/* The last line takes what was rounded. */
	put(to, PT(p, "Length of the month, meter, coefficients"), rest - other,
	    to->after_mwh - to->before_mwh - to->told_mwh);
}

bool moved_of(const struct page *p, struct moved *ret_moved)
{
	const struct report_month *m = p->month;
	const struct report_month *then = month_find(p, m->month - 1);
	struct moved moved = { .n = 0 };
	struct stand now;
	struct stand was;

	if (!then || month_seen(m, p->in->made_s) != SEEN_WHOLE ||
	    month_seen(then, p->in->made_s) != SEEN_WHOLE || !flows_of(p, m) ||
	    !flows_of(p, then) || then->flows->since_s > then->start_s)
		return false;
	now = stand_of(p, m);
	was = stand_of(p, then);
	moved.before = was.stored;
	moved.after = now.stored;
	moved.before_mwh = was.mwh;
	moved.after_mwh = now.mwh;
	for (unsigned int i = 0; i < REPORT_CAUSES; i++)
		put_cause(&moved, &now,
			  cause_name((enum report_cause)i, p->lang),
			  now.flow[i] - was.flow[i]);
	put_cause(&moved, &now, PT(p, "Archived"), now.archive - was.archive);
	put_cause(&moved, &now, PT(p, "The drive itself"),
		  now.overhead - was.overhead);
	put_rest(&moved, p, &now);
	*ret_moved = moved;
	return true;
}
