/* SPDX-License-Identifier: EUPL-1.2 */
/* journal/accepted.log: the other ways in that administrators accepted. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/cleanup.h"
#include "fs/base/io.h"
#include "tools/daemon/ways.h"

#define ACCEPTED_MAX_BYTES (4u << 20)
#define LINE_MAX_BYTES	   20000 /* a path with every byte escaped */

/* Spaces, controls and what isn't ASCII, as \ooo. */
static void escape(const char *name, char *out, size_t size)
{
	size_t used = 0;

	for (; *name && used + 5 < size; name++) {
		unsigned char c = (unsigned char)*name;

		if (c > ' ' && c < 127 && c != '\\')
			out[used++] = (char)c;
		else
			used += (size_t)snprintf(out + used, size - used,
						 "\\%03o", c);
	}
	out[used] = '\0';
}

int ways_accepted_line(char *text, size_t size, int64_t now_s, uid_t uid,
		       const struct way *way)
{
	char name[LINE_MAX_BYTES];
	char when[32] = "";
	time_t now = (time_t)now_s;
	struct tm tm;

	escape(way->name, name, sizeof(name));
	if (gmtime_r(&now, &tm))
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return snprintf(text, size, "%s %" PRIu32 " %s %s\n", when,
			(uint32_t)uid, *way->key ? way->key : "-", name);
}

static void mark_line(struct way_list *list, char *line)
{
	char *words[4];

	for (int i = 0; i < 4; i++) {
		words[i] = strsep(&line, " ");
		if (!words[i])
			return;
	}
	mount_unescape(words[3]);
	for (size_t i = 0; i < list->n; i++) {
		struct way *way = &list->ways[i];
		const char *key = *way->key ? way->key : "-";

		if (!strcmp(way->name, words[3]) && !strcmp(key, words[2]))
			way->accepted = true;
	}
}

void ways_mark_accepted(struct way_list *list, const char *text)
{
	cleanup_free char *copy = strdup(text);
	char *rest = copy;

	while (rest && *rest)
		mark_line(list, strsep(&rest, "\n"));
}

static int read_journal(int fd, struct way_list *list)
{
	cleanup_free char *text = NULL;
	size_t len = 0;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > (off_t)ACCEPTED_MAX_BYTES)
		return -EFBIG;
	text = calloc(1, (size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (len < (size_t)st.st_size) {
		n = pread(fd, text + len, (size_t)st.st_size - len, (off_t)len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	ways_mark_accepted(list, text);
	return 0;
}

int ways_read_accepted(int state_fd, struct way_list *list, struct error *err)
{
	cleanup_fd int fd = openat(state_fd, WAYS_JOURNAL "/" WAYS_ACCEPTED,
				   O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int rc = fd < 0 ? -errno : read_journal(fd, list);

	if (rc == 0 || rc == -ENOENT)
		return 0;
	return error_set(err, rc, "cannot read '%s': %s",
			 WAYS_JOURNAL "/" WAYS_ACCEPTED, strerrordesc_np(-rc));
}

static int open_journal(int state_fd)
{
	cleanup_fd int dir = -1;
	cleanup_fd int fd = -1;
	int rc = io_mkdirat(state_fd, WAYS_JOURNAL, 0700);

	if (rc < 0 && rc != -EEXIST)
		return rc;
	if (rc == 0)
		rc = io_fsync(state_fd);
	dir = openat(state_fd, WAYS_JOURNAL,
		     O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return -errno;
	fd = io_openat_create(dir, WAYS_ACCEPTED, O_RDWR, 0600);
	if (fd < 0)
		return fd;
	rc = io_fsync(dir);
	return rc < 0 ? rc : take_fd(&fd);
}

/* A crash may have cut the last line short: it must not swallow the next. */
static bool ends_torn(int fd, off_t size)
{
	char last;

	return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

int ways_accept(int state_fd, int64_t now_s, uid_t uid, const struct way *way,
		struct error *err)
{
	char line[LINE_MAX_BYTES + 128] = "\n";
	int len =
		ways_accepted_line(line + 1, sizeof(line) - 1, now_s, uid, way);
	cleanup_fd int fd = open_journal(state_fd);
	struct stat st;
	int rc = fd < 0 ? fd : 0;

	if (rc == 0 && fstat(fd, &st) < 0)
		rc = -errno;
	if (rc == 0 && (len <= 0 || (size_t)len >= sizeof(line) - 1))
		rc = -ENAMETOOLONG;
	if (rc == 0) {
		int torn = ends_torn(fd, st.st_size);

		rc = io_pwrite(fd, line + !torn, (size_t)len + (size_t)torn,
			       (uint64_t)st.st_size);
	}
	if (rc == 0)
		rc = io_fsync(fd);
	if (rc < 0)
		return error_set(err, rc, "cannot write '%s': %s",
				 WAYS_JOURNAL "/" WAYS_ACCEPTED,
				 strerrordesc_np(-rc));
	return 0;
}
