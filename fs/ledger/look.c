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
		 struct error *err)
{
	if (2 * (look->n + 1) > look->cap) {
		int rc = known_grow(look, err);

		if (rc < 0)
			return rc;
	}
	*known_slot(look, ino) =
		(struct known_place){ .ino = ino, .place = place };
	look->n++;
	return 0;
}

static int64_t known(const struct look *look, uint64_t ino)
{
	return look->cap == 0 ? PLACE_NONE : known_slot(look, ino)->place;
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

static int climb_push(struct climb *climb, uint64_t ino, const void *name,
		      size_t len, struct error *err)
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
	size_t len = 0;
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)*ino);
	rc = stmt_step(s, err);
	if (rc <= 0)
		return rc;
	name = stmt_blob(s, 1, &len);
	rc = climb_push(climb, *ino, name, len, err);
	*ino = (uint64_t)stmt_i64(s, 0);
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
	charge = (struct charge){ .place = place };
	return charge_put(look->ledger, ino, &charge, err);
}

static int climb_down(struct look *look, struct climb *climb, uint64_t self,
		      int64_t place, int64_t *ret_place, struct error *err)
{
	int rc = 0;

	while (rc == 0 && climb->n > 0) {
		const struct step *step = &climb->step[climb->n - 1];
		uint64_t ino = step->ino;

		place = place_below(&look->ledger->places, place, step->name);
		rc = learn(look, ino, place, err);
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
			rc = learn(look, ino, place, err);
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
	if (S_ISREG(inode->mode))
		charge->size_bytes =
			bounded(inode->size_bytes, CHARGE_BYTES_MAX);
	if (charge->packed)
		charge->content = inode->content;
	if (!S_ISDIR(inode->mode)) {
		rc = catalog_names(ledger->cat, inode->ino, add_name, &names,
				   err);
	} else {
		rc = find_place(look, inode->ino, inode->ino, &charge->place,
				err);
		if (rc == 0)
			add_place(&names, charge->place);
	}
	charge->set = names.set;
	return rc;
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

static bool same_content(const struct charge *a, const struct charge *b)
{
	return a->packed == b->packed &&
	       (!a->packed || hash128_compare(&a->content, &b->content) == 0);
}

static bool same(const struct charge *a, const struct charge *b)
{
	return a->btime_ns == b->btime_ns && a->place == b->place &&
	       a->blocks == b->blocks && a->size_bytes == b->size_bytes &&
	       dept_set_same(&a->set, &b->set) && same_content(a, b);
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

static int charge_content(struct ledger *ledger, const struct charge *old,
			  const struct charge *charge, struct error *err)
{
	struct dept_set gained;
	struct dept_set lost;
	int rc = 0;

	if (ledger->store == NULL)
		return 0;
	if (!same_content(old, charge)) {
		if (old->packed)
			rc = store_use(ledger->store, &old->content, NULL,
				       &old->set, err);
		if (rc == 0 && charge->packed)
			rc = store_use(ledger->store, &charge->content,
				       &charge->set, NULL, err);
		return rc;
	}
	dept_set_minus(&charge->set, &old->set, &gained);
	dept_set_minus(&old->set, &charge->set, &lost);
	if (charge->packed && gained.n + lost.n > 0)
		rc = store_use(ledger->store, &charge->content, &gained, &lost,
			       err);
	return rc;
}

static int recharge_one(struct look *look, uint64_t ino,
			const struct charge *old, const struct charge *charge,
			struct error *err)
{
	struct ledger *ledger = look->ledger;
	int rc = charge_bytes(ledger, old, charge, err);

	if (rc == 0)
		rc = charge_content(ledger, old, charge, err);
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
	const struct charge none = { .place = PLACE_NONE };
	struct charge old;
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
	ledger->in_hook = false;
	deltas_release(&ledger->deltas);
	look_release(&look);
	return rc < 0 ? error_prefix(err, "the ledger") : 0;
}

int ledger_charged(void *ctx, const struct dept_set *set, int64_t delta_bytes,
		   struct error *err)
{
	struct ledger *ledger = ctx;

	if (ledger->in_hook)
		return deltas_add(&ledger->deltas, TIER_PACKED, set,
				  delta_bytes, err);
	return holding_add(ledger, TIER_PACKED, set, delta_bytes, err);
}
