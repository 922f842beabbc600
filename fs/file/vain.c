/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Files that could not be stored, for what is in them: the background would
 * read them from end to end at each of its rounds, to the same end. So each is
 * left alone until it changes, or the daemon is another.
 */
#include "fs/file/internal.h"

static struct vain_try *slot(struct drive *drive, const struct stat *st)
{
	return &drive->vain[st->st_ino % VAIN_TRIES];
}

void vain_put(struct drive *drive, const struct stat *st,
	      enum pack_outcome outcome)
{
	(void)pthread_mutex_lock(&drive->table_lock);
	*slot(drive, st) = (struct vain_try){
		.ino = st->st_ino,
		.ctime_ns = timespec_ns(st->st_ctim),
		.outcome = outcome,
	};
	(void)pthread_mutex_unlock(&drive->table_lock);
}

bool vain_get(struct drive *drive, const struct stat *st,
	      enum pack_outcome *ret_outcome)
{
	struct vain_try found;

	(void)pthread_mutex_lock(&drive->table_lock);
	found = *slot(drive, st);
	(void)pthread_mutex_unlock(&drive->table_lock);
	if (found.ino != st->st_ino ||
	    found.ctime_ns != timespec_ns(st->st_ctim))
		return false;
	*ret_outcome = found.outcome;
	return true;
}
