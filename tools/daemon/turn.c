/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>

#include "tools/daemon/internal.h"

int turn_init(struct turn *turn)
{
	int rc = pthread_mutex_init(&turn->lock, NULL);

	if (rc)
		return -rc;
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
}

void turn_give(struct turn *turn)
{
	(void)pthread_mutex_lock(&turn->lock);
	turn->serving++;
	turn->running = NULL;
	(void)pthread_cond_broadcast(&turn->moved);
	(void)pthread_mutex_unlock(&turn->lock);
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
