/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/log.h"
#include "fs/catalog/internal.h"

#define WRITE_BEHIND_NS (NS_PER_S / 2)
#define RETRY_NS	NS_PER_S
#define POST_WAIT_NS	(2 * NS_PER_S)

bool name_ok(const char *name)
{
	return name != NULL && name[0] != '\0' &&
	       strnlen(name, NAME_BYTES_MAX) < NAME_BYTES_MAX &&
	       strchr(name, '/') == NULL;
}

static bool event_ok(const struct catalog_event *ev)
{
	switch (ev->kind) {
	case CATALOG_EVENT_MOVE:
		return name_ok(ev->name) && name_ok(ev->new_name);
	case CATALOG_EVENT_NAME:
	case CATALOG_EVENT_UNNAME:
		return name_ok(ev->name);
	case CATALOG_EVENT_INODE:
	case CATALOG_EVENT_GONE:
	case CATALOG_EVENT_PLAIN:
	case CATALOG_EVENT_CTIME:
	case CATALOG_EVENT_USED:
		return ev->inode.handle.len <= HANDLE_BYTES_MAX;
	}
	return false;
}

static unsigned int touch_of(enum catalog_event_kind kind)
{
	switch (kind) {
	case CATALOG_EVENT_INODE:
		return TOUCH_ATTRS;
	case CATALOG_EVENT_CTIME:
		return TOUCH_CTIMES;
	case CATALOG_EVENT_USED:
		return TOUCH_DAY;
	case CATALOG_EVENT_NAME:
	case CATALOG_EVENT_UNNAME:
	case CATALOG_EVENT_MOVE:
	case CATALOG_EVENT_GONE:
	case CATALOG_EVENT_PLAIN:
		break;
	}
	return 0;
}

static struct queued *queued_new(const struct catalog_event *ev)
{
	size_t len = ev->name == NULL ? 0 : strlen(ev->name) + 1;
	size_t new_len = ev->new_name == NULL ? 0 : strlen(ev->new_name) + 1;
	struct queued *q = malloc(sizeof(*q) + len + new_len);

	if (q == NULL)
		return NULL;
	q->next = NULL;
	q->merge_next = NULL;
	q->touch = touch_of(ev->kind);
	q->ev = *ev;
	q->ev.name = len == 0 ? NULL : memcpy(q->names, ev->name, len);
	q->ev.new_name =
		new_len == 0 ? NULL
			     : memcpy(q->names + len, ev->new_name, new_len);
	return q;
}

static struct queued **bucket_of(struct queue *queue, uint64_t ino)
{
	uint64_t mixed = ino * UINT64_C(0x9e3779b97f4a7c15);

	return &queue->open_touches[(mixed >> 40) & (QUEUE_BUCKETS - 1)];
}

/* Takes the touch of `ino` that could still be merged with out of its bucket:
 * what follows must come after it. */
static struct queued *close_touch(struct queue *queue, uint64_t ino)
{
	struct queued **at = bucket_of(queue, ino);
	struct queued *found = NULL;

	while (*at != NULL && (*at)->ev.inode.ino != ino)
		at = &(*at)->merge_next;
	found = *at;
	if (found != NULL)
		*at = found->merge_next;
	return found;
}

static void open_touch(struct queue *queue, struct queued *q)
{
	struct queued **bucket = bucket_of(queue, q->ev.inode.ino);

	q->merge_next = *bucket;
	*bucket = q;
}

static void merge_attrs(struct catalog_inode *into,
			const struct catalog_inode *from)
{
	const struct catalog_inode old = *into;

	*into = *from;
	if (from->handle.len == 0)
		into->handle = old.handle;
	if (from->packed_ctime_ns == 0) {
		into->shown_ctime_ns = old.shown_ctime_ns;
		into->packed_ctime_ns = old.packed_ctime_ns;
	}
	if (old.packed) {
		into->packed = true;
		into->content = old.content;
	}
}

static void merge_touch(struct queued *q, const struct catalog_event *ev)
{
	unsigned int touch = touch_of(ev->kind);

	if (touch & TOUCH_ATTRS)
		merge_attrs(&q->ev.inode, &ev->inode);
	if (touch & TOUCH_CTIMES) {
		q->ev.inode.shown_ctime_ns = ev->inode.shown_ctime_ns;
		q->ev.inode.packed_ctime_ns = ev->inode.packed_ctime_ns;
	}
	if (touch & TOUCH_DAY)
		q->ev.day = ev->day;
	q->touch |= touch;
}

/* True when it is now part of an event that waits. */
static bool try_merge(struct queue *queue, const struct catalog_event *ev)
{
	struct queued *q = NULL;

	if (ev->kind == CATALOG_EVENT_GONE || ev->kind == CATALOG_EVENT_PLAIN)
		(void)close_touch(queue, ev->inode.ino);
	if (touch_of(ev->kind) == 0)
		return false;
	q = close_touch(queue, ev->inode.ino);
	if (q == NULL || q->ev.inode.btime_ns != ev->inode.btime_ns)
		return false;
	merge_touch(q, ev);
	open_touch(queue, q);
	return true;
}

static void push(struct queue *queue, struct queued *q)
{
	struct queue_list *list = &queue->list;

	if (list->last == NULL)
		list->first = q;
	else
		list->last->next = q;
	list->last = q;
	list->count++;
	if (q->touch != 0)
		open_touch(queue, q);
	if (list->count == 1 || list->count == QUEUE_MAX / 2)
		(void)pthread_cond_signal(&queue->work);
}

static struct timespec from_now(int64_t ns)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return timespec_from_ns(timespec_ns(now) + ns);
}

/*
 * Under the queue's mutex. False: drop the event. Past the wait it goes in
 * all the same: the thread that holds the writer may be waiting for a lock
 * that this one holds.
 */
static bool wait_for_room(struct queue *queue)
{
	const struct timespec until = from_now(POST_WAIT_NS);
	int rc = 0;

	while (queue->list.count >= QUEUE_MAX && !queue->failing && rc == 0)
		rc = pthread_cond_timedwait(&queue->room, &queue->mutex,
					    &until);
	return queue->list.count < QUEUE_MAX || !queue->failing;
}

bool queue_is_long(struct catalog *cat)
{
	bool is_long = false;

	(void)pthread_mutex_lock(&cat->queue.mutex);
	is_long = cat->queue.list.count > QUEUE_MAX / 2;
	(void)pthread_mutex_unlock(&cat->queue.mutex);
	return is_long;
}

int catalog_post(struct catalog *cat, const struct catalog_event *ev)
{
	struct queue *queue = &cat->queue;
	struct error ignored = ERROR_INIT;
	struct queued *q = NULL;

	if (cat->readonly)
		return -EROFS;
	q = event_ok(ev) ? queued_new(ev) : NULL;
	if (q == NULL)
		return event_ok(ev) ? -ENOMEM : -EINVAL;
	/* This thread has the writer: nobody else can make room. A failure
	 * shows at its commit. */
	if (catalog_owned(cat) && !cat->draining && queue_is_long(cat))
		(void)catalog_drain(cat, &ignored);
	(void)pthread_mutex_lock(&queue->mutex);
	if (!wait_for_room(queue)) {
		queue->lost = true;
		atomic_store(&cat->needs_scan, true);
	} else if (!try_merge(queue, ev)) {
		push(queue, take_ptr(&q));
	}
	(void)pthread_mutex_unlock(&queue->mutex);
	free(q);
	return 0;
}

uint64_t catalog_queue_length(struct catalog *cat)
{
	uint64_t n = 0;

	(void)pthread_mutex_lock(&cat->queue.mutex);
	n = cat->queue.list.count + cat->queue.taken;
	(void)pthread_mutex_unlock(&cat->queue.mutex);
	return n;
}

struct queue_list queue_take(struct catalog *cat)
{
	struct queue *queue = &cat->queue;
	struct queue_list list;

	(void)pthread_mutex_lock(&queue->mutex);
	list = queue->list;
	queue->list = (struct queue_list){ 0 };
	queue->taken += list.count;
	memset(queue->open_touches, 0, sizeof(queue->open_touches));
	(void)pthread_cond_broadcast(&queue->room);
	(void)pthread_mutex_unlock(&queue->mutex);
	return list;
}

void queue_put_back(struct catalog *cat, struct queue_list *list)
{
	struct queue *queue = &cat->queue;

	if (list->first == NULL)
		return;
	(void)pthread_mutex_lock(&queue->mutex);
	list->last->next = queue->list.first;
	if (queue->list.last == NULL)
		queue->list.last = list->last;
	queue->list.first = list->first;
	queue->list.count += list->count;
	queue->taken -= list->count;
	(void)pthread_cond_signal(&queue->work);
	(void)pthread_mutex_unlock(&queue->mutex);
	*list = (struct queue_list){ 0 };
}

static void list_free(struct queue_list *list)
{
	while (list->first != NULL) {
		struct queued *q = list->first;

		list->first = q->next;
		free(q);
	}
	*list = (struct queue_list){ 0 };
}

void queue_written(struct catalog *cat, struct queue_list *list)
{
	(void)pthread_mutex_lock(&cat->queue.mutex);
	cat->queue.taken -= list->count;
	(void)pthread_mutex_unlock(&cat->queue.mutex);
	list_free(list);
}

bool queue_lost(struct catalog *cat)
{
	bool lost = false;

	(void)pthread_mutex_lock(&cat->queue.mutex);
	lost = cat->queue.lost;
	(void)pthread_mutex_unlock(&cat->queue.mutex);
	return lost;
}

void queue_forget_lost(struct catalog *cat)
{
	(void)pthread_mutex_lock(&cat->queue.mutex);
	cat->queue.lost = false;
	(void)pthread_mutex_unlock(&cat->queue.mutex);
}

/* Until there is a batch worth a transaction, or the first of it has waited
 * long enough. False: the end. */
static bool wait_for_batch(struct queue *queue)
{
	struct timespec until;
	int rc = 0;

	while (!queue->stop && queue->list.count == 0)
		(void)pthread_cond_wait(&queue->work, &queue->mutex);
	until = from_now(queue->failing ? RETRY_NS : WRITE_BEHIND_NS);
	while (!queue->stop && rc == 0 &&
	       (queue->failing || queue->list.count < QUEUE_MAX / 2))
		rc = pthread_cond_timedwait(&queue->work, &queue->mutex,
					    &until);
	return !queue->stop;
}

static void *write_behind(void *arg)
{
	struct catalog *cat = arg;
	struct queue *queue = &cat->queue;

	(void)pthread_mutex_lock(&queue->mutex);
	while (wait_for_batch(queue)) {
		struct error err = ERROR_INIT;
		int rc = 0;

		(void)pthread_mutex_unlock(&queue->mutex);
		rc = catalog_flush(cat, &err);
		if (rc == -ENOSPC && catalog_give_room(cat))
			rc = catalog_flush(cat, &err);
		(void)pthread_mutex_lock(&queue->mutex);
		if (rc < 0 && !queue->failing)
			log_error("events wait: %s", err.text);
		queue->failing = rc < 0;
		(void)pthread_cond_broadcast(&queue->room);
	}
	(void)pthread_mutex_unlock(&queue->mutex);
	return NULL;
}

int queue_start(struct catalog *cat, struct error *err)
{
	int rc = pthread_create(&cat->queue.thread, NULL, write_behind, cat);

	if (rc != 0)
		return error_set(err, -rc, "cannot start a thread: %s",
				 error_words(-rc));
	cat->queue.running = true;
	return 0;
}

void queue_stop(struct catalog *cat)
{
	if (!cat->queue.running)
		return;
	(void)pthread_mutex_lock(&cat->queue.mutex);
	cat->queue.stop = true;
	(void)pthread_cond_broadcast(&cat->queue.work);
	(void)pthread_mutex_unlock(&cat->queue.mutex);
	(void)pthread_join(cat->queue.thread, NULL);
	cat->queue.running = false;
}

void queue_release(struct catalog *cat)
{
	list_free(&cat->queue.list);
}
