/* SPDX-License-Identifier: EUPL-1.2 */
/* Writes that a power cut takes back: tests/support/volatile.h. */
#include "tests/support/volatile.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/fault.h"

#define SECTOR	  512
#define FILES_MAX 64
#define NAME_SIZE 256

/* A write, or with a name something new in a directory. */
struct change {
	struct change *older;
	dev_t dev; /* of what has to be synced */
	ino_t ino;
	int fd;
	uint64_t at;
	size_t len;
	uint8_t *data;
	size_t old_len; /* that was there: less at the end of the file */
	uint8_t *old;
	off_t old_size;
	char name[NAME_SIZE];
	bool is_dir;
};

/* A file of SQLite's. Ours is never closed: that would drop SQLite's locks. */
struct db_file {
	const void *file;
	int fd;
};

static struct {
	pthread_mutex_t lock; /* guards what follows */
	long steps;
	struct change *newest;
	struct db_file files[FILES_MAX];
	uint64_t dice;
	long cut_at; /* 0: no cut, nothing is remembered */
} seen = { .lock = PTHREAD_MUTEX_INITIALIZER };

static __attribute__((constructor)) void read_environment(void)
{
	seen.cut_at = fault_number("SOBRE_CUT_AT", 0);
	seen.dice = (uint64_t)fault_number("SOBRE_CUT_SEED", 1) * 65536 +
		    (uint64_t)seen.cut_at;
}

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* splitmix64 */
static uint64_t roll(uint64_t sides)
{
	uint64_t x = seen.dice += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (x ^ x >> 31) % sides;
}

/* --- what was done, newest first
 * ---------------------------------------------------------------------- */

static void change_free(struct change *c)
{
	(void)close(c->fd);
	free(c->data);
	free(c->old);
	free(c);
}

/* One of the inode of `synced`; its descriptor is the change's own. */
static struct change *push(int synced, int fd)
{
	struct change *c = calloc(1, sizeof(*c));
	struct stat st;

	must(c && fd >= 0 && fstat(synced, &st) == 0);
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	c->old_size = st.st_size;
	c->fd = fd;
	c->older = seen.newest;
	seen.newest = c;
	return c;
}

static int own_fd(int fd)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDWR | O_CLOEXEC);
}

static void note(int fd, const void *data, size_t len, uint64_t at)
{
	struct change *c;
	ssize_t n;

	(void)pthread_mutex_lock(&seen.lock);
	c = push(fd, fd);
	c->at = at;
	c->len = len;
	c->data = malloc(len);
	c->old = malloc(len);
	must(c->data && c->old);
	memcpy(c->data, data, len);
	n = pread(fd, c->old, len, (off_t)at);
	must(n >= 0);
	c->old_len = (size_t)n;
	(void)pthread_mutex_unlock(&seen.lock);
}

void volatile_note(int fd, const void *data, size_t len, uint64_t at)
{
	if (seen.cut_at)
		note(own_fd(fd), data, len, at);
}

/* The directory that names it; `*name` becomes the last part. */
static int parent_of(int dir, const char **name)
{
	const char *slash = strrchr(*name, '/');
	char parent[NAME_SIZE];

	if (!slash)
		return fcntl(dir, F_DUPFD_CLOEXEC, 0);
	(void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - *name),
		       *name);
	*name = slash + 1;
	return openat(dir, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void volatile_note_new(int dir, const char *name, bool is_dir)
{
	struct change *c;
	int fd;

	if (!seen.cut_at)
		return;
	(void)pthread_mutex_lock(&seen.lock);
	fd = parent_of(dir, &name);
	c = push(fd, fd);
	(void)snprintf(c->name, sizeof(c->name), "%s", name);
	c->is_dir = is_dir;
	(void)pthread_mutex_unlock(&seen.lock);
}

/* Forgets those of an inode; NULL: of all. */
static void settle(const struct stat *st)
{
	struct change **at = &seen.newest;

	(void)pthread_mutex_lock(&seen.lock);
	while (*at) {
		struct change *c = *at;

		if (st && (c->dev != st->st_dev || c->ino != st->st_ino)) {
			at = &c->older;
			continue;
		}
		*at = c->older;
		change_free(c);
	}
	(void)pthread_mutex_unlock(&seen.lock);
}

void volatile_settle(int fd)
{
	struct stat st;

	if (!seen.cut_at)
		return;
	must(fstat(fd, &st) == 0);
	settle(&st);
}

void volatile_settle_all(void)
{
	if (seen.cut_at)
		settle(NULL);
}

/* --- SQLite's files
 * ---------------------------------------------------------------------- */

static struct db_file *entry_of(const void *file)
{
	struct db_file *at = seen.files;

	while (at < seen.files + FILES_MAX && at->file != file)
		at++;
	return at < seen.files + FILES_MAX ? at : NULL;
}

void volatile_open_file(const void *file, const char *path)
{
	struct db_file *entry;

	if (!seen.cut_at || path == NULL)
		return;
	(void)pthread_mutex_lock(&seen.lock);
	entry = entry_of(NULL);
	must(entry != NULL);
	entry->file = file;
	entry->fd = open(path, O_RDWR | O_CLOEXEC);
	must(entry->fd >= 0);
	(void)pthread_mutex_unlock(&seen.lock);
}

static int fd_of(const void *file)
{
	const struct db_file *entry;
	int fd;

	(void)pthread_mutex_lock(&seen.lock);
	entry = entry_of(file);
	fd = entry ? entry->fd : -1;
	(void)pthread_mutex_unlock(&seen.lock);
	return fd;
}

void volatile_note_file(const void *file, const void *data, size_t len,
			uint64_t at)
{
	int fd = seen.cut_at ? fd_of(file) : -1;

	if (fd >= 0)
		note(fcntl(fd, F_DUPFD_CLOEXEC, 0), data, len, at);
}

void volatile_settle_file(const void *file)
{
	int fd = seen.cut_at ? fd_of(file) : -1;

	if (fd >= 0)
		volatile_settle(fd);
}

void volatile_forget_file(const void *file)
{
	struct db_file *entry;

	if (!seen.cut_at)
		return;
	(void)pthread_mutex_lock(&seen.lock);
	entry = entry_of(file);
	if (entry)
		entry->file = NULL;
	(void)pthread_mutex_unlock(&seen.lock);
}

/* --- the cut
 * ---------------------------------------------------------------------- */

static void put(int fd, const uint8_t *data, size_t len, uint64_t at)
{
	must(pwrite(fd, data, len, (off_t)at) == (ssize_t)len);
}

static void take_back(const struct change *c)
{
	if (c->name[0])
		return;
	put(c->fd, c->old, c->old_len, c->at);
	must(ftruncate(c->fd, c->old_size) == 0);
}

/* Whole; or from a sector on, or up to one. */
static void do_again(const struct change *c)
{
	size_t cut = roll(c->len / SECTOR + 1) * SECTOR;

	switch (roll(3)) {
	case 0:
		put(c->fd, c->data, cut, c->at);
		break;
	case 1:
		put(c->fd, c->data + cut, c->len - cut, c->at + cut);
		break;
	default:
		put(c->fd, c->data, c->len, c->at);
	}
}

static void settle_by_dice(struct change *c)
{
	if (roll(2) == 0)
		return;
	if (!c->name[0])
		do_again(c);
	else if (c->is_dir) /* with all below */
		(void)renameat(c->fd, c->name, c->fd, "lost");
	else
		(void)unlinkat(c->fd, c->name, 0);
}

static void cut(void)
{
	struct change *order[4096];
	size_t n = 0;

	for (struct change *c = seen.newest; c; c = c->older) {
		take_back(c);
		must(n < sizeof(order) / sizeof(order[0]));
		order[n++] = c;
	}
	for (; n > 0; n--) {
		size_t i = roll(n);

		settle_by_dice(order[i]);
		order[i] = order[n - 1];
	}
	(void)kill(getpid(), SIGKILL);
	for (;;)
		(void)pause();
}

void volatile_step(const char *name)
{
	(void)FAULT(FAULT_STEP, name);
	if (!seen.cut_at)
		return;
	(void)pthread_mutex_lock(&seen.lock);
	if (++seen.steps == seen.cut_at)
		cut();
	(void)pthread_mutex_unlock(&seen.lock);
}
