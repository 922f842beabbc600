/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/users.h"

#include <string.h>

static uint32_t get_le(const uint8_t *at, unsigned int bytes)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < bytes; i++)
		v |= (uint32_t)at[i] << (8 * i);
	return v;
}

bool users_decode(const void *bytes, size_t len, struct users *ret_users)
{
	const uint8_t *at = bytes;
	size_t n = len / USERS_ENTRY_BYTES;

	ret_users->n = 0;
	if (len % USERS_ENTRY_BYTES != 0 || n > DEPARTMENTS_MAX)
		return false;
	for (size_t i = 0; i < n; i++, at += USERS_ENTRY_BYTES) {
		struct user *user = &ret_users->user[i];

		user->department = (uint16_t)get_le(at, 2);
		user->count = get_le(at + 2, 4);
		if (user->count == 0 ||
		    (i > 0 && user[-1].department >= user->department))
			return false;
	}
	ret_users->n = (uint32_t)n;
	return true;
}

size_t users_encode(const struct users *users,
		    uint8_t ret_bytes[DEPARTMENTS_MAX * USERS_ENTRY_BYTES])
{
	uint8_t *at = ret_bytes;

	for (uint32_t i = 0; i < users->n; i++) {
		const struct user *user = &users->user[i];

		for (unsigned int b = 0; b < 2; b++)
			*at++ = (uint8_t)(user->department >> (8 * b));
		for (unsigned int b = 0; b < 4; b++)
			*at++ = (uint8_t)(user->count >> (8 * b));
	}
	return (size_t)(at - ret_bytes);
}

/* Where the department is, or belongs. */
static uint32_t place_of(const struct users *users, uint16_t department)
{
	uint32_t low = 0;
	uint32_t high = users->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (users->user[mid].department < department)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_at(const struct users *users, uint32_t i, uint16_t department)
{
	return i < users->n && users->user[i].department == department;
}

bool users_add(struct users *users, uint16_t department, uint32_t count)
{
	uint32_t i = place_of(users, department);
	struct user *user = &users->user[i];

	if (is_at(users, i, department)) {
		user->count = count > UINT32_MAX - user->count
				      ? UINT32_MAX
				      : user->count + count;
		return true;
	}
	if (users->n == DEPARTMENTS_MAX)
		return false;
	memmove(user + 1, user, (users->n - i) * sizeof(*user));
	*user = (struct user){ department, count };
	users->n++;
	return true;
}

bool users_take(struct users *users, uint16_t department, uint32_t count)
{
	uint32_t i = place_of(users, department);
	struct user *user = &users->user[i];
	bool enough;

	if (!is_at(users, i, department))
		return false;
	if (user->count == UINT32_MAX)
		return true;
	enough = user->count >= count;
	user->count -= enough ? count : user->count;
	if (user->count == 0) {
		users->n--;
		memmove(user, user + 1, (users->n - i) * sizeof(*user));
	}
	return enough;
}

void users_set(const struct users *users, struct dept_set *ret_set)
{
	bool all = users->n <= SET_MEMBERS_MAX;
	uint16_t n = 0;

	if (!all)
		ret_set->member[n++] = DEPARTMENT_OTHER;
	for (uint32_t i = 0; i < users->n && n < SET_MEMBERS_MAX; i++)
		if (all || users->user[i].department != DEPARTMENT_OTHER)
			ret_set->member[n++] = users->user[i].department;
	ret_set->n = n;
}

static bool is_named(const struct dept_set *set, uint16_t department)
{
	for (uint16_t i = 0; i < set->n; i++)
		if (set->member[i] == department)
			return department != DEPARTMENT_OTHER;
	return false;
}

uint64_t users_count_in(const struct users *users, const struct dept_set *set,
			uint16_t department)
{
	uint32_t at = place_of(users, department);
	uint64_t count = 0;

	if (!is_at(users, at, department))
		return 0;
	if (users->n <= SET_MEMBERS_MAX || is_named(set, department))
		return users->user[at].count;
	for (uint32_t i = 0; i < users->n; i++)
		if (!is_named(set, users->user[i].department))
			count += users->user[i].count;
	return count;
}
