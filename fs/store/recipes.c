/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/internal.h"

#include <errno.h>
#include <inttypes.h>

/* A content from here on may have a recipe of a megabyte, of which reading
 * takes twice as much for a moment. */
#define BIG_CONTENT_BYTES (UINT64_C(16) << 20)

void recipes_init(struct recipes *recipes, size_t max_bytes)
{
	*recipes = (struct recipes){ .max_bytes = max_bytes };
	(void)pthread_mutex_init(&recipes->big, NULL);
	(void)pthread_mutex_init(&recipes->mutex, NULL);
}

void recipes_release(struct recipes *recipes)
{
	(void)pthread_mutex_destroy(&recipes->big);
	(void)pthread_mutex_destroy(&recipes->mutex);
}

void held_init(struct held_recipe *held)
{
	(void)pthread_mutex_init(&held->load, NULL);
}

void held_keep(struct held_recipe *held, struct recipe *recipe)
{
	held->recipe = *recipe;
	held->loaded = held->kept = true;
}

/* All below but for held_*(): under the mutex. */
static void unlink_held(struct recipes *r, struct held_recipe *held)
{
	*(held->older ? &held->older->newer : &r->oldest) = held->newer;
	*(held->newer ? &held->newer->older : &r->newest) = held->older;
	held->older = held->newer = NULL;
}

static void link_newest(struct recipes *r, struct held_recipe *held)
{
	held->older = r->newest;
	*(r->newest ? &r->newest->newer : &r->oldest) = held;
	r->newest = held;
}

static void unload(struct recipes *r, struct held_recipe *held)
{
	unlink_held(r, held);
	r->bytes -= recipe_bytes(&held->recipe);
	recipe_release(&held->recipe);
	held->loaded = false;
}

/* The one used last stays, however big: who reads it goes on reading it. */
static void make_room(struct recipes *r)
{
	struct held_recipe *held = r->oldest;

	while (held && held != r->newest && r->bytes > r->max_bytes) {
		struct held_recipe *newer = held->newer;

		if (held->users == 0)
			unload(r, held);
		held = newer;
	}
}

static bool pin_loaded(struct recipes *r, struct held_recipe *held)
{
	bool loaded;

	(void)pthread_mutex_lock(&r->mutex);
	loaded = held->loaded;
	if (loaded) {
		held->users++;
		unlink_held(r, held);
		link_newest(r, held);
	}
	(void)pthread_mutex_unlock(&r->mutex);
	return loaded;
}

static void pin_new(struct recipes *r, struct held_recipe *held,
		    const struct recipe *recipe)
{
	(void)pthread_mutex_lock(&r->mutex);
	held->recipe = *recipe;
	held->loaded = true;
	held->users = 1;
	r->bytes += recipe_bytes(recipe);
	link_newest(r, held);
	make_room(r);
	(void)pthread_mutex_unlock(&r->mutex);
}

/* The row moves only when a pack is emptied; then look again, once. */
static int load_once(struct store *store, const struct held_recipe *held,
		     struct recipe *ret_recipe, struct error *err)
{
	struct content_row row;
	char hex[HASH128_HEX_BYTES];
	int rc = content_row_get(store, VIEW_COMMITTED, &held->content, &row,
				 err);

	if (rc < 0)
		return rc;
	if (rc > 0 && row.size_bytes == held->size_bytes)
		return recipe_load(store, &row, ret_recipe, err);
	hash128_hex(&held->content, hex);
	return error_set(err, -SOBRE_ENOCHUNK,
			 "content %s of %llu bytes is not in the store", hex,
			 (unsigned long long)held->size_bytes);
}

static int load(struct store *store, const struct held_recipe *held,
		struct recipe *ret_recipe, struct error *err)
{
	bool big = held->size_bytes >= BIG_CONTENT_BYTES;
	int rc;

	if (big)
		(void)pthread_mutex_lock(&store->recipes.big);
	rc = load_once(store, held, ret_recipe, err);
	if (rc == -SOBRE_ENOCHUNK)
		rc = load_once(store, held, ret_recipe, err);
	if (big)
		(void)pthread_mutex_unlock(&store->recipes.big);
	return rc;
}

int held_get(struct store *store, struct held_recipe *held, struct error *err)
{
	struct recipe recipe;
	int rc = 0;

	if (held->kept || pin_loaded(&store->recipes, held))
		return 0;
	(void)pthread_mutex_lock(&held->load);
	if (!pin_loaded(&store->recipes, held)) {
		rc = load(store, held, &recipe, err);
		if (rc == 0)
			pin_new(&store->recipes, held, &recipe);
	}
	(void)pthread_mutex_unlock(&held->load);
	return rc;
}

void held_put(struct store *store, struct held_recipe *held)
{
	if (held->kept)
		return;
	(void)pthread_mutex_lock(&store->recipes.mutex);
	held->users--;
	make_room(&store->recipes);
	(void)pthread_mutex_unlock(&store->recipes.mutex);
}

void held_release(struct store *store, struct held_recipe *held)
{
	(void)pthread_mutex_lock(&store->recipes.mutex);
	if (held->kept)
		recipe_release(&held->recipe);
	else if (held->loaded)
		unload(&store->recipes, held);
	(void)pthread_mutex_unlock(&store->recipes.mutex);
	(void)pthread_mutex_destroy(&held->load);
}
