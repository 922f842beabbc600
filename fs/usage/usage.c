/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fs/usage/usage.h"

/* Users at once: 4,096, each in one of the eight places that its number leads
 * to; who has been away longest makes room. */
#define BUCKETS	     512 /* a power of two */
#define BUCKET_USERS 8

struct user {
	int64_t since_s; /* its window began */
	uint32_t uid;	 /* 0: nobody */
	uint32_t files;	 /* opened in it */
	bool crawls;	 /* too many in the window before */
};

struct usage {
	uint32_t *service; /* owned; ascending */
	unsigned int services;
	uint32_t burst_files;
	uint32_t burst_s;
	pthread_mutex_t mutex; /* guards what follows; taken last */
	struct user user[BUCKETS][BUCKET_USERS];
};

static int compare_uids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int usage_new(const struct usage_options *options, struct usage **ret_usage,
	      struct error *err)
{
	CLEANUP(usage_free) struct usage *usage = calloc(1, sizeof(*usage));

	if (usage == NULL || pthread_mutex_init(&usage->mutex, NULL) != 0)
		return error_set(err, -ENOMEM, "out of memory");
	usage->burst_files = options->burst_files == 0 ? USAGE_BURST_FILES
						       : options->burst_files;
	usage->burst_s =
		options->burst_s == 0 ? USAGE_BURST_S : options->burst_s;
	usage->services = options->services;
	usage->service =
		calloc(options->services + 1UL, sizeof(*usage->service));
	if (usage->service == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	if (options->services > 0)
		memcpy(usage->service, options->service_uids,
		       options->services * sizeof(*usage->service));
	qsort(usage->service, usage->services, sizeof(*usage->service),
	      compare_uids);
	*ret_usage = take_ptr(&usage);
	return 0;
}

void usage_free(struct usage *usage)
{
	if (usage == NULL)
		return;
	(void)pthread_mutex_destroy(&usage->mutex);
	free(usage->service);
	free(usage);
}

/* Whom it is better to forget: nobody, then whose window began first. */
static bool better_gone(const struct user *a, const struct user *b)
{
	if (a->uid == 0 || b->uid == 0)
		return a->uid == 0 && b->uid != 0;
	return a->since_s < b->since_s;
}

static struct user *user_of(struct usage *usage, uint32_t uid, int64_t now_s)
{
	struct user *bucket =
		usage->user[(uid * 2654435761U >> 16) & (BUCKETS - 1)];
	struct user *gone = &bucket[0];

	for (unsigned int i = 0; i < BUCKET_USERS; i++) {
		if (bucket[i].uid == uid)
			return &bucket[i];
		if (better_gone(&bucket[i], gone))
			gone = &bucket[i];
	}
	*gone = (struct user){ .uid = uid, .since_s = now_s };
	return gone;
}

static void next_window(const struct usage *usage, struct user *user,
			int64_t now_s)
{
	bool again = now_s >= user->since_s &&
		     now_s - user->since_s < 2 * (int64_t)usage->burst_s;

	/* Without an open for a whole window it has stopped, too. */
	user->crawls = again && user->files > usage->burst_files;
	user->files = 0;
	user->since_s = now_s;
}

bool usage_counts(struct usage *usage, uint32_t uid, int64_t now_s)
{
	struct user *user = NULL;
	bool counts = false;

	if (uid == 0 || bsearch(&uid, usage->service, usage->services,
				sizeof(uid), compare_uids) != NULL)
		return false;
	(void)pthread_mutex_lock(&usage->mutex);
	user = user_of(usage, uid, now_s);
	if (now_s < user->since_s || now_s - user->since_s >= usage->burst_s)
		next_window(usage, user, now_s);
	if (user->files < UINT32_MAX)
		user->files++;
	counts = !user->crawls && user->files <= usage->burst_files;
	(void)pthread_mutex_unlock(&usage->mutex);
	return counts;
}
