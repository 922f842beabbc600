/* SPDX-License-Identifier: EUPL-1.2 */
/* What an inode holds now, against what it was charged with last. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/base/log.h"
#include "fs/ledger/internal.h"

#define DEPTH_MAX 8192

/* --- directories met ----------------------------------------------------- */

static struct known_place *known_slot(const struct look *look, uint64_t ino)
{
	uint64_t at = ino * UINT64_C(0x9e3779b97f4a7c15) >> 20;
	struct known_place *k = NULL;

	do
		k = &look->known[at++ & (look->cap - 1)];
	while (k->place != PLACE_NONE && k->ino != ino);
	return k;
}

static int known_grow(struct look *look, struct error *err)
{
	struct look more = { .cap = look->cap == 0 ? 64 : look->cap * 2 };

	more.known = calloc(more.cap, sizeof(*more.known));
	if (more.known == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < look->cap; i++) {
		if (look->known[i].place != PLACE_NONE)
			*known_slot(&more, look->known[i].ino) = look->known[i];
	}
	free(look->known);
	look->known = more.known;
	look->cap = more.cap;
	return 0;
}

static int learn(struct look *look, uint64_t ino, int64_t place,
		 uint64_t parent, struct error *err)
{
	if (look->known == NULL || 2 * (look->n + 1) > look->cap) {
		int rc = known_grow(look, err);

		if (rc < 0)
			return rc;
	}
	*known_slot(look, ino) = (struct known_place){ .ino = ino,
						       .place = place,
						       .parent = parent };
	look->n++;
	return 0;
}

static int64_t known(const struct look *look, uint64_t ino)
{
	return look->known == NULL ? PLACE_NONE : known_slot(look, ino)->place;
}

/* Tells its folder where a directory is that was found. */
static int place_folder(struct look *look, uint64_t ino, struct error *err)
{
	if (look->known == NULL)
		return 0; /* none was */
	return folders_place(&look->ledger->folders, ino,
			     known_slot(look, ino)->parent, err);
}

void look_release(struct look *look)
{
	free(look->known);
	look->known = NULL;
	look->cap = 0;
}

/* --- where a directory is ------------------------------------------------ */

/* A row that can't be is taken for none; all is charged again. */
static int get_charge(struct ledger *ledger, uint64_t ino,
		      struct charge *ret_charge, struct error *err)
{
	struct error bad = ERROR_INIT;
	int rc = charge_get(ledger->cat, ino, ret_charge, &bad);

	if (rc >= 0)
		return rc;
	if (rc != -SOBRE_ECORRUPT)
		return error_set(err, rc, "%s", bad.text);
	log_error("%s", bad.text);
	return recharge_note(ledger, err);
}

static bool is_place(const struct ledger *ledger, int64_t place)
{
	return place > 1 && place / 2 < ledger->places.n;
}

/* Of the directories between the one that is asked for and one known. */
struct step {
	uint64_t ino;
	uint64_t parent;
	char *name;
};
struct climb {
	struct step *step;
	size_t n;
	size_t cap;
};

static void climb_release_at(struct climb *climb)
{
	while (climb->n > 0)
		free(climb->step[--climb->n].name);
	free(climb->step);
}

static int climb_push(struct climb *climb, uint64_t ino, uint64_t parent,
		      const void *name, size_t len, struct error *err)
{
	if (climb->n == climb->cap) {
		size_t cap = climb->cap == 0 ? 16 : climb->cap * 2;
		struct step *more =
			reallocarray(climb->step, cap, sizeof(*more));

		if (more == NULL)
			return error_set(err, -ENOMEM, "out of memory");
		climb->step = more;
		climb->cap = cap;
	}
	climb->step[climb->n].ino = ino;
	climb->step[climb->n].parent = parent;
	climb->step[climb->n].name = strndup(name == NULL ? "" : name, len);
	if (climb->step[climb->n].name == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	climb->n++;
	return 0;
}

/* 1, and one step up; 0: it has no name. A directory has one name; after a
 * crash the newest counts. */
static int step_up(struct ledger *ledger, struct climb *climb, uint64_t *ino,
		   struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		ledger->cat,
		"SELECT parent, name FROM name INDEXED BY name_ino"
		" WHERE ino = ?1 ORDER BY seen DESC LIMIT 1",
		err);
	const void *name = NULL;
	uint64_t parent = 0;
	size_t len = 0;
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)*ino);
	rc = stmt_step(s, err);
	if (rc <= 0)
		return rc;
	name = stmt_blob(s, 1, &len);
	parent = (uint64_t)stmt_i64(s, 0);
	rc = climb_push(climb, *ino, parent, name, len, err);
	*ino = parent;
	return rc < 0 ? rc : 1;
}

/* Without a name: the root, or one removed while in use, which stays where it
 * was. */
static int nameless_place(struct ledger *ledger, uint64_t ino,
			  int64_t *ret_place, struct error *err)
{
	struct charge charge;
	int rc = get_charge(ledger, ino, &charge, err);

	if (rc < 0)
		return rc;
	*ret_place = rc == 1 && is_place(ledger, charge.place) ? charge.place
							       : PLACE_ROOT;
	return 0;
}

static int charge_above(struct look *look, uint64_t ino, int64_t place,
			struct error *err)
{
	struct charge charge;
	int rc = get_charge(look->ledger, ino, &charge, err);

	if (rc < 0 || (rc == 1 && is_place(look->ledger, charge.place)))
		return rc < 0 ? rc : 0;
	rc = look_at(look, ino, err);
	if (rc == 0)
		rc = get_charge(look->ledger, ino, &charge, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	/* The catalog knows of its name alone: nothing but where it is. */
	charge = (struct charge){ .place = place, .parent = ino };
	rc = charge_put(look->ledger, ino, &charge, err);
	return rc < 0 ? rc : place_folder(look, ino, err);
}

static int climb_down(struct look *look, struct climb *climb, uint64_t self,
		      int64_t place, int64_t *ret_place, struct error *err)
{
	int rc = 0;

	while (rc == 0 && climb->n > 0) {
		const struct step *step = &climb->step[climb->n - 1];
		uint64_t ino = step->ino;

		place = place_below(&look->ledger->places, place, step->name);
		rc = learn(look, ino, place, step->parent, err);
		if (rc == 0 && ino != self)
			rc = charge_above(look, ino, place, err);
		free(climb->step[--climb->n].name);
	}
	*ret_place = place;
	return rc;
}

/* `self`: the inode that is looked at, and charged by who does so; or 0. */
static int find_place(struct look *look, uint64_t ino, uint64_t self,
		      int64_t *ret_place, struct error *err)
{
	CLEANUP(climb_release) struct climb climb = { .n = 0 };
	int64_t place = PLACE_NONE;
	int rc = 1;

	while (rc == 1 && (place = known(look, ino)) == PLACE_NONE) {
		if (climb.n == DEPTH_MAX) /* a loop */
			break;
		rc = step_up(look->ledger, &climb, &ino, err);
	}
	if (rc == 0) {
		rc = nameless_place(look->ledger, ino, &place, err);
		if (rc == 0)
			rc = learn(look, ino, place, 0, err);
		if (rc == 0 && ino != self)
			rc = charge_above(look, ino, place, err);
	}
	if (rc < 0)
		return rc;
	if (place == PLACE_NONE)
		place = PLACE_ROOT - 1;
	return climb_down(look, &climb, self, place, ret_place, err);
}

/* --- whose an inode is --------------------------------------------------- */

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
	int rc = find_place(names->look, parent, 0, &place, err);

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
static int charge_of(struct look *look, const struct catalog_inode *inode,
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
		rc = find_place(look, inode->ino, inode->ino, &charge->place,
				err);
		if (rc == 0)
			rc = place_folder(look, inode->ino, err);
		if (rc == 0)
			add_place(&names, charge->place);
	}
	charge->set = names.set;
	return rc;
}

static bool same_content(const struct charge *a, const struct charge *b)
{
	return a->packed == b->packed &&
	       (!a->packed || hash128_compare(&a->content, &b->content) == 0);
}

/* What it was counted to share holds as long as its content does. */
static void keep_share(struct charge *charge, const struct charge *old)
{
	if (!charge->packed || !same_content(charge, old))
		return;
	charge->own_high = old->own_high;
	charge->own_low = old->own_low;
	charge->exclusive_bytes = old->exclusive_bytes;
}

/* An inode without a name stays whose it was. */
static void keep_set(struct look *look, uint32_t gid, struct charge *charge,
		     const struct charge *old)
{
	if (charge->set.n > 0)
		return;
	if (old->set.n > 0 && old->btime_ns == charge->btime_ns)
		charge->set = old->set;
	else
		dept_set_add(&charge->set, group_department(look->ledger, gid));
}

/* --- charging ------------------------------------------------------------ */

static bool same(const struct charge *a, const struct charge *b)
{
	return a->btime_ns == b->btime_ns && a->place == b->place &&
	       a->blocks == b->blocks && a->size_bytes == b->size_bytes &&
	       dept_set_same(&a->set, &b->set) && same_content(a, b) &&
	       a->parent == b->parent && a->regular == b->regular &&
	       a->own_high == b->own_high && a->own_low == b->own_low &&
	       a->exclusive_bytes == b->exclusive_bytes;
}

static int charge_tier(struct ledger *ledger, enum tier tier,
		       const struct charge *charge, int64_t bytes,
		       struct error *err)
{
	return bytes == 0 ? 0
			  : deltas_add(&ledger->deltas, tier, &charge->set,
				       bytes, err);
}

static int charge_bytes(struct ledger *ledger, const struct charge *old,
			const struct charge *charge, struct error *err)
{
	int rc = charge_tier(ledger, TIER_HOT, old, -512 * old->blocks, err);

	if (rc == 0)
		rc = charge_tier(ledger, TIER_HOT, charge, 512 * charge->blocks,
				 err);
	if (rc == 0)
		rc = charge_tier(ledger, TIER_LOGICAL, old, -old->size_bytes,
				 err);
	if (rc == 0)
		rc = charge_tier(ledger, TIER_LOGICAL, charge,
				 charge->size_bytes, err);
	return rc;
}

/* The share of a file that holds something is known from then on. */
static int use_content(struct ledger *ledger, const struct hash128 *content,
		       const struct dept_set *gained,
		       const struct dept_set *lost, struct charge *holder,
		       struct error *err)
{
	static const struct dept_set nobody = { .n = 0 };
	struct store_share share;
	int rc = store_use_share(ledger->store, content, gained, lost,
				 holder != NULL ? &holder->set : &nobody,
				 &share, err);

	if (rc < 0)
		return rc;
	if (!share.alone)
		ledger->others = true;
	if (holder != NULL)
		charge_share(holder, &share);
	return 0;
}

static int charge_content(struct ledger *ledger, const struct charge *old,
			  struct charge *charge, struct error *err)
{
	struct dept_set gained;
	struct dept_set lost;
	int rc = 0;

	if (ledger->store == NULL)
		return 0;
	if (!same_content(old, charge)) {
		if (old->packed)
			rc = use_content(ledger, &old->content, NULL, &old->set,
					 NULL, err);
		if (rc == 0 && charge->packed)
			rc = use_content(ledger, &charge->content, &charge->set,
					 NULL, charge, err);
		return rc;
	}
	dept_set_minus(&charge->set, &old->set, &gained);
	dept_set_minus(&old->set, &charge->set, &lost);
	if (charge->packed && gained.n + lost.n > 0)
		rc = use_content(ledger, &charge->content, &gained, &lost,
				 charge, err);
	return rc;
}

/* A charge that was never made has no set. */
static bool is_apart(const struct charge *charge)
{
	return charge->set.n > 0 && charge->parent == 0;
}

static int apart_put(struct ledger *ledger, uint64_t ino, bool apart,
		     struct error *err)
{
	return write_ino(ledger->cat,
			 apart ? "INSERT OR IGNORE INTO apart(ino) VALUES(?1)"
			       : "DELETE FROM apart WHERE ino = ?1",
			 ino, err);
}

static int recharge_one(struct look *look, uint64_t ino,
			const struct charge *old, struct charge *charge,
			struct error *err)
{
	struct ledger *ledger = look->ledger;
	int rc = charge_bytes(ledger, old, charge, err);

	if (rc == 0)
		rc = charge_content(ledger, old, charge, err);
	if (rc == 0 && is_apart(old) != is_apart(charge))
		rc = apart_put(ledger, ino, is_apart(charge), err);
	if (rc == 0)
		rc = folders_add(&ledger->folders, old, -1, err);
	if (rc == 0)
		rc = folders_add(&ledger->folders, charge, 1, err);
	if (rc == 0)
		rc = charge_put(ledger, ino, charge, err);
	if (rc == 0 && is_place(ledger, old->place) &&
	    old->place != charge->place)
		rc = catalog_touch_children(ledger->cat, ino, err);
	return rc;
}

/* What still has names below it finds out afresh where that is. */
static int look_at_gone(struct look *look, uint64_t ino, struct error *err)
{
	struct charge none = { .place = PLACE_NONE };
	struct charge old = { .place = PLACE_NONE };
	int rc = get_charge(look->ledger, ino, &old, err);

	if (rc == 1)
		rc = recharge_one(look, ino, &old, &none, err);
	return rc < 0 ? rc : charge_delete(look->ledger, ino, err);
}

int look_at(struct look *look, uint64_t ino, struct error *err)
{
	struct ledger *ledger = look->ledger;
	struct error none = ERROR_INIT;
	struct catalog_inode inode;
	struct charge charge;
	struct charge old;
	int rc = catalog_inode_get(ledger->cat, ino, 0, &inode, &none);

	if (rc == -ENOENT || rc == -SOBRE_ECORRUPT)
		return look_at_gone(look, ino, err);
	if (rc < 0)
		return error_set(err, rc, "%s", none.text);
	rc = charge_of(look, &inode, &charge, err);
	if (rc < 0)
		return rc;
	rc = get_charge(ledger, ino, &old, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		old = (struct charge){ .place = PLACE_NONE };
	keep_set(look, inode.gid, &charge, &old);
	keep_share(&charge, &old);
	return rc == 1 && same(&old, &charge)
		       ? 0
		       : recharge_one(look, ino, &old, &charge, err);
}

int ledger_commit(void *ctx, const uint64_t *inos, size_t n, struct error *err)
{
	struct ledger *ledger = ctx;
	struct look look = { .ledger = ledger };
	int rc = 0;

	ledger->in_hook = true;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = look_at(&look, inos[i], err);
	if (rc == 0)
		rc = deltas_write(ledger, err);
	if (rc == 0)
		rc = folders_write(ledger->cat, &ledger->folders, err);
	if (rc == 0 && ledger->others)
		rc = shares_note(ledger, err);
	ledger->in_hook = false;
	ledger->others = false;
	deltas_release(&ledger->deltas);
	folders_release(&ledger->folders);
	look_release(&look);
	return rc < 0 ? error_prefix(err, "the ledger") : 0;
}

int ledger_charged(void *ctx, const struct dept_set *set, int64_t delta_bytes,
		   struct error *err)
{
	struct ledger *ledger = ctx;
	int rc = 0;

	if (ledger->in_hook)
		return deltas_add(&ledger->deltas, TIER_PACKED, set,
				  delta_bytes, err);
	rc = shares_note(ledger, err);
	return rc < 0 ? rc
		      : holding_add(ledger, TIER_PACKED, set, delta_bytes, err);
}
