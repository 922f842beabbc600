/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <linux/ioprio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/daemon/internal.h"

#define NICE_LEAST 19

/*
 * A turn's work is for whole trees and has time: agents go first. Of the
 * calling thread alone, as Linux has it. Who may not raise it again (an
 * ordinary user) stays low, which is no harm: these threads do nothing else.
 */
static void let_agents_first(const struct turn *turn, bool on)
{
	(void)setpriority(PRIO_PROCESS, 0, on ? NICE_LEAST : turn->nice);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		      on ? (int)IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7)
			 : idle_io_priority());
}

int turn_init(struct turn *turn)
{
	int rc = pthread_mutex_init(&turn->lock, NULL);

	if (rc)
		return -rc;
	turn->nice = getpriority(PRIO_PROCESS, 0);
	rc = pthread_cond_init(&turn->moved, NULL);
	if (rc)
		(void)pthread_mutex_destroy(&turn->lock);
	return -rc;
}

void turn_release(struct turn *turn)
{
	(void)pthread_cond_destroy(&turn->moved);
	(void)pthread_mutex_destroy(&turn->lock);
}

void turn_take(struct turn *turn, const char *what)
{
	uint64_t mine;

	(void)pthread_mutex_lock(&turn->lock);
	mine = turn->next++;
	while (turn->serving != mine)
		(void)pthread_cond_wait(&turn->moved, &turn->lock);
	turn->running = what;
	(void)pthread_mutex_unlock(&turn->lock);
	let_agents_first(turn, true);
}

void turn_give(struct turn *turn)
{
	let_agents_first(turn, false);
	(void)pthread_mutex_lock(&turn->lock);
	turn->serving++;
	turn->running = NULL;
	(void)pthread_cond_broadcast(&turn->moved);
	(void)pthread_mutex_unlock(&turn->lock);
}

void turn_give_way(struct turn *turn)
{
	const char *what;
	uint64_t waiting;

	turn_look(turn, &waiting, &what);
	if (waiting == 0)
		return;
	turn_give(turn);
	turn_take(turn, what);
}

void turn_look(struct turn *turn, uint64_t *ret_waiting,
	       const char **ret_running)
{
	(void)pthread_mutex_lock(&turn->lock);
	*ret_running = turn->running;
	*ret_waiting = turn->next - turn->serving;
	if (*ret_waiting > 0)
		(*ret_waiting)--;
	(void)pthread_mutex_unlock(&turn->lock);
}
