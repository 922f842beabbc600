/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>

#include "fs/base/log.h"
#include "fs/catalog/internal.h"

const void *this_thread(void)
{
	static _Thread_local char here;

	return &here;
}

bool catalog_owned(struct catalog *cat)
{
	return atomic_load(&cat->owner) == this_thread();
}

static void append(struct queue_list *list, struct queue_list *more)
{
	if (more->first == NULL)
		return;
	if (list->last == NULL)
		list->first = more->first;
	else
		list->last->next = more->first;
	list->last = more->last;
	list->count += more->count;
	*more = (struct queue_list){ 0 };
}

/* An event that no row can hold would else stop all that follow it; a scan
 * finds out what it meant. */
static int apply_or_drop(struct catalog *cat, const struct queued *q,
			 struct error *err)
{
	static const char owed[] =
		"INSERT INTO meta(key, value) VALUES('needs_scan', 1)"
		" ON CONFLICT(key) DO UPDATE SET value = 1";
	int rc = event_apply(cat, q, err);

	if (rc != -EINVAL)
		return rc;
	log_warn("%s; a scan will tell", err->text);
	atomic_store(&cat->needs_scan, true);
	return writer_run(cat, owed, NULL, 0, err);
}

int catalog_drain(struct catalog *cat, struct error *err)
{
	struct queue_list list = queue_take(cat);
	int rc = 0;

	cat->draining = true;
	for (const struct queued *q = list.first; q != NULL && rc == 0;
	     q = q->next)
		rc = apply_or_drop(cat, q, err);
	cat->draining = false;
	append(&cat->applied, &list);
	cat->broken = cat->broken || rc < 0;
	return rc;
}

static void writer_free(struct catalog *cat)
{
	atomic_store(&cat->owner, NULL);
	(void)pthread_mutex_unlock(&cat->writer_mutex);
}

static int may_begin(struct catalog *cat, struct error *err)
{
	if (cat->readonly)
		return error_set(err, -EROFS, "catalog '%s' is read-only",
				 cat->path);
	if (catalog_owned(cat))
		return error_set(err, -EDEADLK,
				 "catalog '%s': a transaction is open",
				 cat->path);
	return 0;
}

int catalog_begin(struct catalog *cat, struct error *err)
{
	int rc = may_begin(cat, err);

	if (rc < 0)
		return rc;
	(void)pthread_mutex_lock(&cat->writer_mutex);
	atomic_store(&cat->owner, this_thread());
	rc = conn_exec(cat->writer, "BEGIN IMMEDIATE", err);
	if (rc == 0)
		rc = catalog_drain(cat, err);
	if (rc < 0)
		catalog_rollback(cat);
	return rc;
}

int catalog_commit(struct catalog *cat, struct error *err)
{
	int rc = 0;

	if (cat->broken || sqlite3_get_autocommit(cat->writer->db))
		rc = error_set(err, -EIO,
			       "catalog '%s': the transaction was undone",
			       cat->path);
	else
		rc = touched_tell(cat, err);
	if (rc == 0)
		rc = conn_exec(cat->writer, "COMMIT", err);
	if (rc < 0) {
		catalog_rollback(cat);
		return rc;
	}
	queue_written(cat, &cat->applied);
	writer_free(cat);
	return 0;
}

void catalog_rollback(struct catalog *cat)
{
	struct error ignored = ERROR_INIT;

	if (!catalog_owned(cat)) /* it ended by a failed commit */
		return;
	if (!sqlite3_get_autocommit(cat->writer->db))
		(void)conn_exec(cat->writer, "ROLLBACK", &ignored);
	queue_put_back(cat, &cat->applied);
	cat->broken = false;
	writer_free(cat);
}

int catalog_flush(struct catalog *cat, struct error *err)
{
	int rc = 0;

	if (catalog_owned(cat))
		return error_set(err, -EDEADLK,
				 "catalog '%s': a transaction is open",
				 cat->path);
	if (cat->readonly || catalog_queue_length(cat) == 0)
		return 0;
	rc = catalog_begin(cat, err);
	return rc < 0 ? rc : catalog_commit(cat, err);
}
