/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/internal.h"

#include <sched.h>
#include <stdlib.h>

/*
 * With io_uring one thread answers all requests of a CPU, one after the other.
 * What may take long (a disk, a copy-up) is answered by other threads
 * meanwhile. What a request points to stays where it is until it is answered.
 */

struct slow_job {
	struct slow_job *next;
	unsigned int *n_slow; /* of the ring's thread, under the lock */
	fuse_req_t req;
	slow_fn *run;
	struct slow_args args;
};

void slow_init(struct slow *slow)
{
	/* where it fails none of it is used */
	slow->anywhere =
		sched_getaffinity(0, sizeof(slow->cpus), &slow->cpus) == 0;
	(void)pthread_mutex_init(&slow->lock, NULL);
	(void)pthread_cond_init(&slow->work, NULL);
	(void)pthread_cond_init(&slow->done, NULL);
}

/* With the lock held, which it gives up meanwhile. */
static void run_first(struct slow *slow)
{
	struct slow_job *job = slow->first;

	slow->n_jobs--;
	slow->first = job->next;
	if (!slow->first)
		slow->last = NULL;
	(void)pthread_mutex_unlock(&slow->lock);
	job->run(job->req, &job->args);
	(void)pthread_mutex_lock(&slow->lock);
	if (--*job->n_slow == 0)
		(void)pthread_cond_broadcast(&slow->done);
	free(job);
}

/* A ring's thread, which starts this one, is bound to its CPU. */
static void *slow_main(void *at)
{
	struct slow *slow = at;

	if (slow->anywhere)
		(void)sched_setaffinity(0, sizeof(slow->cpus), &slow->cpus);
	(void)pthread_mutex_lock(&slow->lock);
	while (slow->first || !slow->stop) {
		if (slow->first) {
			run_first(slow);
			continue;
		}
		slow->n_idle++;
		(void)pthread_cond_wait(&slow->work, &slow->lock);
		slow->n_idle--;
	}
	(void)pthread_mutex_unlock(&slow->lock);
	return NULL;
}

/* One for each job, so that none waits behind a long one. An idle thread may be
 * on its way to another already. False: nobody would take the job. */
static bool ensure_thread(struct slow *slow)
{
	if (slow->n_idle <= slow->n_jobs &&
	    slow->n_threads < SLOW_THREADS_MAX &&
	    pthread_create(&slow->threads[slow->n_threads], NULL, slow_main,
			   slow) == 0)
		slow->n_threads++;
	return slow->n_threads > 0;
}

static bool hand_over(struct slow *slow, struct slow_job *job)
{
	bool taken;

	(void)pthread_mutex_lock(&slow->lock);
	taken = ensure_thread(slow);
	if (taken) {
		if (slow->last)
			slow->last->next = job;
		else
			slow->first = job;
		slow->last = job;
		slow->n_jobs++;
		++*job->n_slow;
		(void)pthread_cond_signal(&slow->work);
	}
	(void)pthread_mutex_unlock(&slow->lock);
	return taken;
}

static unsigned int *ring_of(fuse_req_t req)
{
#if FRONT_HAS_SAFE_RING
	if (front_of(req)->uring_wanted && fuse_req_is_uring(req))
		return worker_ring(front_of(req));
#else
	(void)req;
#endif
	return NULL;
}

void slow_run(fuse_req_t req, slow_fn *run, const struct slow_args *args)
{
	unsigned int *n_slow = ring_of(req);
	struct slow_job *job = n_slow ? malloc(sizeof(*job)) : NULL;

	if (job) {
		*job = (struct slow_job){
			.n_slow = n_slow, .req = req, .run = run, .args = *args
		};
		if (hand_over(&front_of(req)->slow, job))
			return;
		free(job);
	}
	run(req, args);
}

void slow_wait(struct front *front, const unsigned int *n_slow)
{
	struct slow *slow = &front->slow;

	(void)pthread_mutex_lock(&slow->lock);
	while (*n_slow > 0)
		(void)pthread_cond_wait(&slow->done, &slow->lock);
	(void)pthread_mutex_unlock(&slow->lock);
}

void slow_stop(struct slow *slow)
{
	(void)pthread_mutex_lock(&slow->lock);
	slow->stop = true;
	(void)pthread_cond_broadcast(&slow->work);
	(void)pthread_mutex_unlock(&slow->lock);
	for (unsigned int i = 0; i < slow->n_threads; i++)
		(void)pthread_join(slow->threads[i], NULL);
	(void)pthread_cond_destroy(&slow->done);
	(void)pthread_cond_destroy(&slow->work);
	(void)pthread_mutex_destroy(&slow->lock);
}
