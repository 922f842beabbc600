/* SPDX-License-Identifier: EUPL-1.2 */
/* Which bytes lie on which array. */
#include <string.h>

#include "fs/energy/internal.h"

#define BIT(tier) (1u << (tier))
#define HOLDABLE  (BIT(TIER_HOT) | BIT(TIER_PACKED) | BIT(TIER_ARCHIVE))

/* What `in` says of one array, when it names none. */
static struct energy_array the_only(const struct energy_input *in)
{
	return (struct energy_array){
		.tiers = BIT(TIER_HOT) | BIT(TIER_PACKED) |
			 (in->archive_apart ? 0 : BIT(TIER_ARCHIVE)),
		.usable_bytes = in->usable_bytes,
		.measured_mwh = in->measured_mwh,
		.fabrication_kg = in->fabrication_kg,
		.bought = -1,
		.life_s = in->life_s,
		.outlived = in->outlived,
		.flash = in->flash,
	};
}

static int check_array(const struct energy_array *a, struct error *err)
{
	const char *id = a->id ? a->id : "";

	if (strlen(id) >= ENERGY_ID_BYTES)
		return error_set(err, -EINVAL, "too long an id: '%.70s'", id);
	if (a->fabrication_kg < 0 || a->life_s < 0)
		return error_set(err, -EINVAL,
				 "negative time or fabrication of array '%s'",
				 id);
	if (a->tiers == 0 || (a->tiers & ~HOLDABLE))
		return error_set(err, -EINVAL, "array '%s' holds nothing", id);
	if (a->flash && a->disks > 0 && a->disk_bytes == 0)
		return error_set(err, -EINVAL,
				 "SSDs of array '%s' without their size", id);
	return 0;
}

/* Where several have a tier, each one's size is asked for. */
static int check_tier(const struct arrays *arrays, enum tier tier,
		      struct error *err)
{
	const struct energy_array *unsized = NULL;
	unsigned int n = 0;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < arrays->n; i++) {
		const struct energy_array *a = &arrays->array[i];

		if (!(a->tiers & BIT(tier)))
			continue;
		n++;
		if (a->usable_bytes == 0)
			unsized = a;
		if (__builtin_add_overflow(sum, a->usable_bytes, &sum))
			return error_set(err, -EOVERFLOW,
					 "arrays too big to add up");
	}
	if (n == 0 && tier == TIER_HOT)
		return error_set(err, -EINVAL, "no array holds what is hot");
	if (n == 0)
		return error_set(err, -EINVAL, "no array holds what is packed");
	if (n > 1 && unsized)
		return error_set(err, -EINVAL,
				 "array '%s' shares what it holds and has no "
				 "usable size",
				 unsized->id ? unsized->id : "");
	return 0;
}

int arrays_from(const struct energy_input *in, struct arrays *ret_arrays,
		struct error *err)
{
	struct arrays *to = ret_arrays;
	unsigned int held = 0;
	int rc = 0;

	if (in->arrays > ENERGY_ARRAYS_MAX)
		return error_set(err, -EINVAL, "%u arrays", in->arrays);
	to->n = in->arrays > 0 ? in->arrays : 1;
	for (unsigned int i = 0; i < to->n && rc == 0; i++) {
		to->array[i] = in->arrays > 0 ? in->array[i] : the_only(in);
		held |= to->array[i].tiers;
		rc = check_array(&to->array[i], err);
	}
	if (rc == 0 && !(held & BIT(TIER_ARCHIVE)))
		to->array[to->n++] =
			(struct energy_array){ .tiers = BIT(TIER_ARCHIVE),
					       .bought = -1 };
	for (int t = TIER_HOT; t <= TIER_ARCHIVE && rc == 0; t++)
		rc = check_tier(to, (enum tier)t, err);
	return rc;
}

bool arrays_slice(const struct arrays *arrays, unsigned int i, enum tier tier,
		  struct slice *ret_slice)
{
	enum tier where = tier == TIER_STATE ? TIER_PACKED : tier;
	struct slice s = { .of = 0 };

	if (tier == TIER_LOGICAL || !(arrays->array[i].tiers & BIT(where)))
		return false;
	for (unsigned int k = 0; k < arrays->n; k++) {
		const struct energy_array *a = &arrays->array[k];

		if (k == i)
			s.low = s.of;
		if (a->tiers & BIT(where))
			s.of += a->usable_bytes;
		if (k == i)
			s.high = s.of;
	}
	/* One alone, of a size that isn't known. */
	*ret_slice = s.of > 0 ? s : (struct slice){ .high = 1, .of = 1 };
	return true;
}
