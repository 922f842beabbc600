/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/internal.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>

/*
 * What each thread that answers requests keeps, made at first need. A umask
 * belongs to a thread only once it has left the fs_struct it shares with the
 * others.
 */
struct worker {
	struct front *front;
	uint8_t *buffer;
	bool own_umask;
	bool is_ring;
	unsigned int n_slow; /* under slow.lock */
};

/* Of a ring's thread libfuse frees the ring right after: what still has to be
 * answered through it comes first. */
static void worker_free(void *at)
{
	struct worker *worker = at;

	slow_wait(worker->front, &worker->n_slow);
	free(worker->buffer);
	free(worker);
}

int worker_key_init(struct front *front)
{
	return -pthread_key_create(&front->worker_key, worker_free);
}

static struct worker *worker_get(struct front *front)
{
	struct worker *worker = pthread_getspecific(front->worker_key);

	if (worker)
		return worker;
	worker = calloc(1, sizeof(*worker));
	if (!worker)
		return NULL;
	worker->front = front;
	if (pthread_setspecific(front->worker_key, worker) != 0) {
		free(worker);
		return NULL;
	}
	return worker;
}

uint8_t *worker_buffer(struct front *front)
{
	struct worker *worker = worker_get(front);

	if (worker && !worker->buffer)
		worker->buffer = malloc(MAX_WRITE_BYTES);
	return worker ? worker->buffer : NULL;
}

int worker_umask(struct front *front, mode_t mask)
{
	struct worker *worker = worker_get(front);

	if (!worker)
		return -ENOMEM;
	if (!worker->own_umask && unshare(CLONE_FS) < 0)
		return -errno;
	worker->own_umask = true;
	(void)umask(mask);
	return 0;
}

/* libfuse ends a ring's thread by an event, and cancels it besides, wherever it
 * is: an operation cut off in the middle would keep its locks for ever. */
unsigned int *worker_ring(struct front *front)
{
	struct worker *worker = worker_get(front);

	if (!worker)
		return NULL;
	if (!worker->is_ring)
		(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	worker->is_ring = true;
	return &worker->n_slow;
}
