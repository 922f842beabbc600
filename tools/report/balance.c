/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/year.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct report_month *balance_month(const struct balance *b,
					 unsigned int i)
{
	return &b->of->month[YEAR_MONTHS + i];
}

const struct report_month *balance_month_before(const struct balance *b,
						unsigned int i)
{
	return &b->of->month[i];
}

bool balance_known(const struct balance *b, const struct report_month *m)
{
	return month_seen(m, b->of->in->made_s) >= SEEN_PART;
}

static bool is_whole(const struct balance *b, const struct report_month *m)
{
	return month_seen(m, b->of->in->made_s) == SEEN_WHOLE;
}

static void add_bounds(uint64_t *low, uint64_t *high, uint64_t mid, micro u)
{
	*low += num_low(mid, u);
	*high += num_high(mid, u);
}

static void add_month(struct sums *to, const struct report_month *m)
{
	const struct energy_month *e = &m->energy;
	const struct energy_line *t = &e->total;

	to->months++;
	to->seconds += month_counted_s(m);
	to->kept_byte_s += t->logical_byte_s;
	to->stored_byte_s += t->own_byte_s + t->shared_byte_s -
			     e->reserve.own_byte_s - e->reserve.shared_byte_s;
	to->mwh += t->mwh.all;
	to->ueur += t->ueur.all;
	to->use_ug += t->use_ug.all;
	to->build_ug += t->build_ug.all;
	add_bounds(&to->mwh_low, &to->mwh_high, t->mwh.all,
		   e->uncertainty_energy);
	add_bounds(&to->ueur_low, &to->ueur_high, t->ueur.all,
		   e->uncertainty_energy);
	add_bounds(&to->use_low, &to->use_high, t->use_ug.all, e->uncertainty);
	add_bounds(&to->build_low, &to->build_high, t->build_ug.all,
		   e->uncertainty_build);
}

static void add_all(struct balance *b)
{
	for (unsigned int i = 0; i < YEAR_MONTHS; i++) {
		const struct report_month *now = balance_month(b, i);
		const struct report_month *then = balance_month_before(b, i);

		if (balance_known(b, now))
			add_month(&b->now, now);
		if (balance_known(b, then))
			add_month(&b->before, then);
		b->whole += is_whole(b, now);
		b->closed += now->version > 0;
		if (!is_whole(b, now) || !is_whole(b, then))
			continue;
		add_month(&b->like, now);
		add_month(&b->like_before, then);
	}
}

/* --- twelve months as one -------------------------------------------------
 */

static uint16_t most_departments(const struct balance *b)
{
	uint16_t n = 0;

	for (unsigned int i = 0; i < YEAR_MONTHS; i++) {
		const struct report_month *m = balance_month(b, i);

		if (balance_known(b, m) && m->energy.departments > n)
			n = m->energy.departments;
	}
	return n;
}

static void add_energy(struct energy_month *to, const struct energy_month *from)
{
	for (uint16_t i = 0; i < from->departments; i++)
		line_add(&to->department[i], &from->department[i]);
	line_add(&to->overhead, &from->overhead);
	line_add(&to->reserve, &from->reserve);
	line_add(&to->total, &from->total);
}

static int join(struct balance *b, struct error *err)
{
	struct energy_month *e = &b->all.energy;
	int32_t first = 12 * b->of->year;

	e->departments = most_departments(b);
	e->department = calloc(e->departments + 1U, sizeof(*e->department));
	if (!e->department)
		return error_set(err, -ENOMEM, "%s", error_words(-ENOMEM));
	b->all.known = b->now.months > 0;
	b->all.month = first + YEAR_MONTHS - 1;
	b->all.start_s = date_month_start(first);
	b->all.end_s = date_month_start(first + YEAR_MONTHS);
	b->all.over = b->all.end_s <= b->of->in->made_s;
	for (unsigned int i = 0; i < YEAR_MONTHS; i++)
		if (balance_known(b, balance_month(b, i)))
			add_energy(e, &balance_month(b, i)->energy);
	return 0;
}

int balance_init(struct balance *ret_balance, const struct report_year *of,
		 struct page *p, struct error *err)
{
	struct balance b = { .of = of, .p = p };
	int rc;

	add_all(&b);
	rc = join(&b, err);
	if (rc == 0)
		rc = lines_init(&b.lines, of->in, &b.all, err);
	if (rc < 0)
		balance_release(&b);
	else
		*ret_balance = b;
	return rc;
}

void balance_release(struct balance *balance)
{
	lines_release(&balance->lines);
	free(balance->all.energy.department);
	*balance = (struct balance){ .of = NULL };
}

/* --- figures ---------------------------------------------------------------
 */

static uint64_t mean(uint128 byte_s, int64_t seconds)
{
	return seconds > 0 ? (uint64_t)(byte_s / (uint64_t)seconds) : 0;
}

uint64_t sums_kept(const struct sums *sums)
{
	return mean(sums->kept_byte_s, sums->seconds);
}

uint64_t sums_stored(const struct sums *sums)
{
	return mean(sums->stored_byte_s, sums->seconds);
}

uint64_t sums_sci_ug(const struct sums *sums)
{
	return energy_sci_ug(sums->use_ug, sums->build_ug, sums->kept_byte_s);
}

uint64_t figure_of(const struct sums *sums, enum figure figure)
{
	switch (figure) {
	case FIGURE_KEPT:
		return sums_kept(sums);
	case FIGURE_STORED:
		return sums_stored(sums);
	case FIGURE_ENERGY:
		return sums->mwh;
	case FIGURE_COST:
		return sums->ueur;
	case FIGURE_USE:
		return sums->use_ug;
	case FIGURE_BUILD:
		return sums->build_ug;
	case FIGURE_CARBON:
		return sums->use_ug + sums->build_ug;
	case FIGURE_SCI:
		return sums_sci_ug(sums);
	case FIGURES:
		break;
	}
	return 0;
}

/* False: counted, or made of several. */
bool figure_bounds(const struct sums *s, enum figure figure, uint64_t *ret_low,
		   uint64_t *ret_high)
{
	const uint64_t low[FIGURES] = {
		[FIGURE_ENERGY] = s->mwh_low,
		[FIGURE_COST] = s->ueur_low,
		[FIGURE_USE] = s->use_low,
		[FIGURE_BUILD] = s->build_low,
		[FIGURE_CARBON] = s->use_low + s->build_low,
	};
	const uint64_t high[FIGURES] = {
		[FIGURE_ENERGY] = s->mwh_high,
		[FIGURE_COST] = s->ueur_high,
		[FIGURE_USE] = s->use_high,
		[FIGURE_BUILD] = s->build_high,
		[FIGURE_CARBON] = s->use_high + s->build_high,
	};

	*ret_low = low[figure];
	*ret_high = high[figure];
	return high[figure] > 0;
}

uint64_t figure_target(const struct report_target *target, enum figure figure)
{
	const uint64_t all[FIGURES] = {
		[FIGURE_KEPT] = target->bytes,
		[FIGURE_ENERGY] = target->mwh,
		[FIGURE_COST] = target->ueur,
		[FIGURE_CARBON] = target->ug,
	};

	return all[figure];
}

const char *figure_name(enum figure figure)
{
	static const char *const names[FIGURES] = {
		[FIGURE_KEPT] = N_("Files kept, on average"),
		[FIGURE_STORED] = N_("Taken on the disks, on average"),
		[FIGURE_ENERGY] = N_("Electricity"),
		[FIGURE_COST] = N_("Cost of the electricity"),
		[FIGURE_USE] = N_("Carbon of the electricity"),
		[FIGURE_BUILD] = N_("Carbon of making the hardware"),
		[FIGURE_CARBON] = N_("Carbon in all"),
		[FIGURE_SCI] = N_("Carbon per TB of files kept for a month"),
	};

	return names[figure];
}

struct num figure_text(enum figure figure, uint64_t v, enum po_lang lang)
{
	switch (figure) {
	case FIGURE_KEPT:
	case FIGURE_STORED:
		return num_bytes(v, lang);
	case FIGURE_ENERGY:
		return num_quantity(Q_ENERGY, v, lang);
	case FIGURE_COST:
		return num_quantity(Q_MONEY, v, lang);
	case FIGURE_USE:
	case FIGURE_BUILD:
	case FIGURE_CARBON:
	case FIGURE_SCI:
	case FIGURES:
		break;
	}
	return num_quantity(Q_CARBON, v, lang);
}
