/* SPDX-License-Identifier: EUPL-1.2 */
/* report --per-department: who may read which directory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/daemon/internal.h"

void readers_release(struct readers *readers)
{
	free(readers->access);
	free(readers->admin);
	json_decref(readers->unread);
	*readers = (struct readers){ .access = NULL };
}

/* Groups that there are. */
static int find_admins(const struct setup *setup, struct readers *readers,
		       struct error *err)
{
	char *const *name = setup->config.roles_admin;
	unsigned int n = 0;

	while (name && name[n])
		n++;
	readers->admin = calloc(n + 1U, sizeof(*readers->admin));
	if (!readers->admin)
		return error_set(err, -ENOMEM, "no memory for the report");
	for (unsigned int i = 0; i < n; i++)
		if (setup_find_group(name[i], &readers->admin[readers->admins]))
			readers->admins++;
	return 0;
}

static const struct ledger_department *configured(const struct setup *setup,
						  const char *id)
{
	for (unsigned int i = 0; i < setup->departments; i++)
		if (!strcmp(setup->department[i].id, id))
			return &setup->department[i];
	return NULL;
}

static struct report_access access_of(const struct setup *setup,
				      const struct readers *readers,
				      const struct report_department *d)
{
	struct report_access access = { .restricted = true,
					.gid = readers->admin,
					.n_gids = readers->admins };
	const struct ledger_department *own;

	/* What is of no department is the administrators'. */
	if (!d || d->number == DEPARTMENT_OTHER)
		return access;
	own = configured(setup, d->id);
	access.gid = own ? own->gids : NULL;
	access.n_gids = own ? (unsigned int)own->n_gids : 0;
	return access;
}

int readers_find(const struct setup *setup,
		 const struct report_department *department, unsigned int n,
		 struct readers *ret_readers, struct error *err)
{
	struct readers readers = {
		.access = calloc(n + 1U, sizeof(struct report_access)),
		.unread = json_array()
	};
	int rc = readers.access && readers.unread
			 ? find_admins(setup, &readers, err)
			 : error_set(err, -ENOMEM, "no memory for the report");

	for (unsigned int i = 0; rc == 0 && i <= n; i++) {
		const struct report_department *d =
			i < n ? &department[i] : NULL;

		readers.access[i] = access_of(setup, &readers, d);
		if (readers.access[i].n_gids == 0)
			(void)json_array_append_new(
				readers.unread,
				json_string(d ? d->id : REPORT_CITY_FOLDER));
	}
	if (rc < 0)
		readers_release(&readers);
	else
		*ret_readers = readers;
	return rc;
}
