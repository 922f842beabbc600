/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/hash.h"
#include "fs/ledger/internal.h"

#define ROOT 1u

/* A place is twice its node, and one more when it is at the node itself. */
static uint32_t node_of(int64_t place)
{
	return (uint32_t)(place / 2);
}

static bool is_at(int64_t place)
{
	return place % 2 != 0;
}

/* The slot of a child, or the empty one where it would be. */
static uint32_t slot_of(const struct places *places, uint32_t parent,
			const char *name, size_t len)
{
	uint64_t at = hash64(name, len) + parent * UINT64_C(0x9e3779b97f4a7c15);

	for (;; at++) {
		uint32_t slot = (uint32_t)at & (places->slots - 1);
		const struct place_node *node =
			&places->node[places->slot[slot]];

		if (places->slot[slot] == 0 ||
		    (node->parent == parent &&
		     strncmp(node->name, name, len) == 0 &&
		     node->name[len] == '\0'))
			return slot;
	}
}

static int add_child(struct places *places, uint32_t parent, const char *name,
		     size_t len, uint32_t *ret_node, struct error *err)
{
	uint32_t slot = slot_of(places, parent, name, len);
	struct place_node *node = NULL;

	if (places->slot[slot] == 0) {
		node = &places->node[places->n];
		node->name = strndup(name, len);
		if (node->name == NULL)
			return error_set(err, -ENOMEM, "out of memory");
		node->parent = parent;
		node->order = INT32_MAX;
		places->slot[slot] = places->n++;
	}
	*ret_node = places->slot[slot];
	return 0;
}

static int add_path(struct places *places, const char *path, int32_t order,
		    uint16_t number, struct error *err)
{
	uint32_t node = ROOT;

	while (*path != '\0') {
		size_t len = strcspn(path, "/");
		int rc = len == 0 ? 0
				  : add_child(places, node, path, len, &node,
					      err);

		if (rc < 0)
			return rc;
		path += len + (path[len] == '/');
	}
	if (places->node[node].order > order) {
		places->node[node].order = order;
		places->node[node].number = number;
	}
	return 0;
}

/* Parents come before their children. */
static void inherit(struct places *places)
{
	for (uint32_t i = ROOT + 1; i < places->n; i++) {
		struct place_node *node = &places->node[i];
		const struct place_node *parent = &places->node[node->parent];

		if (parent->order < node->order) {
			node->order = parent->order;
			node->number = parent->number;
		}
	}
}

static size_t components(const struct ledger_department *departments,
			 unsigned int n)
{
	size_t count = 0;

	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int j = 0; j < departments[i].n_paths; j++) {
			const char *at = departments[i].paths[j];

			for (count++; *at != '\0'; at++)
				count += *at == '/';
		}
	}
	return count;
}

static int allocate(struct places *places, size_t count, struct error *err)
{
	places->slots = 16;
	while (places->slots < 2 * count && places->slots < UINT32_MAX / 2)
		places->slots *= 2;
	places->node = calloc(count + 2, sizeof(*places->node));
	places->slot = calloc(places->slots, sizeof(*places->slot));
	if (places->node == NULL || places->slot == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	places->node[ROOT].order = INT32_MAX;
	places->n = ROOT + 1;
	return 0;
}

int places_build(const struct ledger_department *departments,
		 const uint16_t *number, unsigned int n,
		 struct places *ret_places, struct error *err)
{
	struct places places = { .n = 0 };
	int rc = allocate(&places, components(departments, n), err);

	for (unsigned int i = 0; rc == 0 && i < n; i++) {
		for (unsigned int j = 0; rc == 0 && j < departments[i].n_paths;
		     j++)
			rc = add_path(&places, departments[i].paths[j],
				      (int32_t)i, number[i], err);
	}
	if (rc < 0) {
		places_release(&places);
		return rc;
	}
	inherit(&places);
	*ret_places = places;
	return 0;
}

void places_release(struct places *places)
{
	for (uint32_t i = 0; i < places->n; i++)
		free(places->node[i].name);
	free(places->node);
	free(places->slot);
	*places = (struct places){ .n = 0 };
}

int64_t place_below(const struct places *places, int64_t place,
		    const char *name)
{
	uint32_t node = node_of(place);
	uint32_t child = 0;

	if (is_at(place))
		child = places->slot[slot_of(places, node, name, strlen(name))];
	return child != 0 ? (int64_t)child * 2 + 1 : (int64_t)node * 2;
}

int32_t place_department(const struct places *places, int64_t place)
{
	const struct place_node *node = &places->node[node_of(place)];

	return node->order == INT32_MAX ? NO_DEPARTMENT : node->number;
}
