/* SPDX-License-Identifier: EUPL-1.2 */
/* Where a directory is: by climbing to one that a hook's call met already. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/log.h"
#include "fs/ledger/internal.h"

#define DEPTH_MAX 8192

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
int look_folder(struct look *look, uint64_t ino, struct error *err)
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

int charge_get_sound(struct ledger *ledger, uint64_t ino,
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

bool ledger_is_place(const struct ledger *ledger, int64_t place)
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
	int rc = charge_get_sound(ledger, ino, &charge, err);

	if (rc < 0)
		return rc;
	*ret_place = rc == 1 && ledger_is_place(ledger, charge.place)
			     ? charge.place
			     : PLACE_ROOT;
	return 0;
}

static int charge_above(struct look *look, uint64_t ino, int64_t place,
			struct error *err)
{
	struct charge charge;
	int rc = charge_get_sound(look->ledger, ino, &charge, err);

	if (rc < 0 || (rc == 1 && ledger_is_place(look->ledger, charge.place)))
		return rc < 0 ? rc : 0;
	rc = look_at(look, ino, err);
	if (rc == 0)
		rc = charge_get_sound(look->ledger, ino, &charge, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	/* The catalog knows of its name alone: nothing but where it is. */
	charge = (struct charge){ .place = place, .parent = ino };
	rc = charge_put(look->ledger, ino, &charge, err);
	return rc < 0 ? rc : look_folder(look, ino, err);
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

int look_place(struct look *look, uint64_t ino, uint64_t self,
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
