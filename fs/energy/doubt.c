/* SPDX-License-Identifier: EUPL-1.2 */
/* How far figures may be from the truth: docs/design/footprint.md,
 * "Uncertainty". */
#include <math.h>

#include "fs/energy/internal.h"

/* The square of ln(high / mid); `inverse`: of ln(mid / low), for what
 * divides. 0 when it is certain. */
static double doubt(const struct coef_set *set, enum coef_id id, bool inverse)
{
	const struct coef *c = &set->coef[id];
	micro over = inverse ? c->value : c->high;
	micro under = inverse ? c->low : c->value;
	double logarithm;

	if (under <= 0 || over <= under)
		return 0;
	logarithm = log((double)over / (double)under);
	return logarithm * logarithm;
}

static micro factor(double squares)
{
	return (micro)llround(exp(sqrt(squares)) * (double)MICRO);
}

static double doubt_of_energy(const struct device *d)
{
	const struct coef_set *set = d->coefs;
	double pue = doubt(set, COEF_PUE, false);

	if (d->array->measured_mwh > 0)
		return doubt(set, COEF_METER, false) + pue;
	if (device_sleeps(d))
		return doubt(set, COEF_W_ARCHIVE, false) +
		       doubt(set, COEF_RHO_ARCHIVE, false) +
		       doubt(set, COEF_KAPPA_ARCHIVE, false) + pue;
	return doubt(set, d->array->flash ? COEF_W_SSD : COEF_W_HDD, false) +
	       doubt(set, COEF_RHO, false) + doubt(set, COEF_KAPPA, false) +
	       pue;
}

/* The chassis is left out: a small part, known to a factor of two. */
static double doubt_of_build(const struct device *d)
{
	const struct coef_set *set = d->coefs;
	const struct energy_array *a = d->array;
	double sum = a->life_s > 0 ? 0 : doubt(set, COEF_LIFE, true);

	if (a->outlived)
		return 0;
	if (a->fabrication_kg > 0)
		return sum;
	sum += doubt(set, a->flash ? COEF_TE_SSD : COEF_TE_HDD, false);
	if (a->disks > 0)
		return sum;
	sum += doubt(set, device_sleeps(d) ? COEF_RHO_ARCHIVE : COEF_RHO,
		     false);
	return a->flash ? sum : sum + doubt(set, COEF_DRIVE_TB, true);
}

void uncertainties(const struct device *d, struct energy_array_month *month)
{
	double energy = doubt_of_energy(d);

	month->uncertainty_energy = factor(energy);
	month->uncertainty =
		factor(energy + doubt(d->coefs, COEF_CARBON, false));
	month->uncertainty_build = factor(doubt_of_build(d));
}

/* --- of several arrays ----------------------------------------------------
 */

struct mean {
	double weight;
	double sum;
	micro only; /* the first's: as long as all have the same */
	bool same;
};

static void add_to_mean(struct mean *mean, bool first, micro u, uint64_t weight)
{
	mean->same = first || (mean->same && mean->only == u);
	mean->only = first ? u : mean->only;
	mean->weight += (double)weight;
	mean->sum += (double)u * (double)weight;
}

/* Where nothing is weighed, the first's. */
static micro mean_of(const struct mean *mean)
{
	if (mean->same || mean->weight <= 0)
		return mean->only;
	return (micro)llround(mean->sum / mean->weight);
}

void mean_uncertainties(struct energy_month *month)
{
	struct mean energy = { .only = MICRO };
	struct mean use = { .only = MICRO };
	struct mean build = { .only = MICRO };

	for (unsigned int i = 0; i < month->arrays; i++) {
		const struct energy_array_month *a = &month->array[i];

		add_to_mean(&energy, i == 0, a->uncertainty_energy, a->all.mwh);
		add_to_mean(&use, i == 0, a->uncertainty, a->all.use_ug);
		add_to_mean(&build, i == 0, a->uncertainty_build,
			    a->all.build_ug);
	}
	month->uncertainty_energy = mean_of(&energy);
	month->uncertainty = mean_of(&use);
	month->uncertainty_build = mean_of(&build);
}
