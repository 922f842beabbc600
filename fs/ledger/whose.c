/* SPDX-License-Identifier: EUPL-1.2 */
/* What an inode would be charged with now: whose it is, what it holds. */
#include <sys/stat.h>

#include "fs/ledger/internal.h"

struct names {
	struct look *look;
	uint16_t by_group;
	uint64_t parent; /* of the last */
	unsigned int n;
	struct dept_set set;
};

static uint16_t group_department(const struct ledger *ledger, uint32_t gid)
{
	unsigned int low = 0;
	unsigned int high = ledger->groups;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (ledger->group[mid].gid == gid)
			return ledger->group[mid].number;
		if (ledger->group[mid].gid < gid)
			low = mid + 1;
		else
			high = mid;
	}
	return DEPARTMENT_OTHER;
}

static void add_place(struct names *names, int64_t place)
{
	int32_t d = place_department(&names->look->ledger->places, place);

	dept_set_add(&names->set,
		     d == NO_DEPARTMENT ? names->by_group : (uint16_t)d);
}

static int add_name(void *ctx, uint64_t parent, const char *name, uint64_t ino,
		    struct error *err)
{
	struct names *names = ctx;
	int64_t place = PLACE_NONE;
	int rc = look_place(names->look, parent, 0, &place, err);

	(void)ino;
	names->n++;
	names->parent = parent;
	if (rc == 0)
		add_place(names, place_below(&names->look->ledger->places,
					     place, name));
	return rc;
}

static int64_t bounded(uint64_t v, int64_t max)
{
	return v > (uint64_t)max ? max : (int64_t)v;
}

/* The set stays empty when nothing says where it is. */
int look_charge(struct look *look, const struct catalog_inode *inode,
		struct charge *charge, struct error *err)
{
	struct ledger *ledger = look->ledger;
	struct names names = {
		.look = look,
		.by_group = group_department(ledger, inode->gid),
	};
	int rc = 0;

	*charge = (struct charge){
		.btime_ns = inode->btime_ns,
		.blocks = bounded(inode->blocks, CHARGE_BYTES_MAX / 512),
		.packed = inode->packed && ledger->store != NULL,
	};
	charge->regular = S_ISREG(inode->mode);
	if (charge->regular)
		charge->size_bytes =
			bounded(inode->size_bytes, CHARGE_BYTES_MAX);
	if (charge->packed)
		charge->content = inode->content;
	if (!S_ISDIR(inode->mode)) {
		rc = catalog_names(ledger->cat, inode->ino, add_name, &names,
				   err);
		charge->parent = names.n == 1 ? names.parent : 0;
	} else {
		charge->parent = inode->ino;
		rc = look_place(look, inode->ino, inode->ino, &charge->place,
				err);
		if (rc == 0)
			rc = look_folder(look, inode->ino, err);
		if (rc == 0)
			add_place(&names, charge->place);
	}
	charge->set = names.set;
	return rc;
}

bool charge_same_content(const struct charge *a, const struct charge *b)
{
	return a->packed == b->packed &&
	       (!a->packed || hash128_compare(&a->content, &b->content) == 0);
}

/* What it was counted to share holds as long as its content does. */
void charge_keep_share(struct charge *charge, const struct charge *old)
{
	if (!charge->packed || !charge_same_content(charge, old))
		return;
	charge->own_high = old->own_high;
	charge->own_low = old->own_low;
	charge->exclusive_bytes = old->exclusive_bytes;
}

/* An inode without a name stays whose it was. */
void look_keep_set(struct look *look, uint32_t gid, struct charge *charge,
		   const struct charge *old)
{
	if (charge->set.n > 0)
		return;
	if (old->set.n > 0 && old->btime_ns == charge->btime_ns)
		charge->set = old->set;
	else
		dept_set_add(&charge->set, group_department(look->ledger, gid));
}
