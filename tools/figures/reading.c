/* SPDX-License-Identifier: EUPL-1.2 */
/* Readings of a program: what it said, and the file they are kept in. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/cleanup.h"
#include "fs/base/io.h"
#include "fs/base/wide.h"
#include "tools/figures/figures.h"

#define DIRECTORY   "meters"
#define PATH_BYTES  128
#define NUMBER_MAX  32
#define TAIL_BYTES  512 /* more than the last lines have */
#define LINE_FORMAT "%Y-%m-%dT%H:%M:%SZ"

/* --- what it said --------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Its digits and 6 decimals alone: "220" of "220 Watts", "1.5" of "1.5,2". */
static void cut_number(const char *at, char number[NUMBER_MAX])
{
	size_t n = strspn(at, "0123456789");
	size_t decimals;

	if ((at[n] == '.' || at[n] == ',') && is_digit(at[n + 1])) {
		decimals = strspn(at + n + 1, "0123456789");
		n += 1 + (decimals < 6 ? decimals : 6);
	}
	if (n >= NUMBER_MAX)
		n = NUMBER_MAX - 1;
	memcpy(number, at, n);
	number[n] = '\0';
}

int meter_output(const char *text, const char *after, micro times,
		 micro *ret_value, struct error *err)
{
	const char *at = after ? strstr(text, after) : text;
	char number[NUMBER_MAX];
	int128 value;
	micro read;

	if (!at)
		return error_set(err, -SOBRE_ECONFIG, "it does not say '%.60s'",
				 after);
	at += after ? strlen(after) : 0;
	at += strcspn(at, "0123456789");
	if (!*at)
		return error_set(err, -SOBRE_ECONFIG, "it says no number");
	if (at > text && at[-1] == '-')
		return error_set(err, -SOBRE_ECONFIG,
				 "it says a number below 0: '%.20s'", at - 1);
	cut_number(at, number);
	if (micro_parse(number, &read) < 0)
		return error_set(err, -SOBRE_ECONFIG,
				 "'%s' is too big, or has more than 6 decimals",
				 number);
	value = ((int128)read * times + MICRO / 2) / MICRO;
	if (value > INT64_MAX)
		return error_set(err, -SOBRE_ECONFIG, "'%s' is too big",
				 number);
	*ret_value = (micro)value;
	return 0;
}

/* --- the file ------------------------------------------------------------- */

static const char *unit_of(enum meter_kind kind)
{
	return kind == METER_KWH ? "kWh" : "W";
}

static void path_of(const char *id, enum meter_kind kind, char path[PATH_BYTES])
{
	(void)snprintf(path, PATH_BYTES, DIRECTORY "/%.80s.%s.csv", id,
		       unit_of(kind));
}

/* The whole lines at the file's end, behind a header of ours: what it has
 * before them is skipped, its own header too. */
static int parse_tail(const char *name, enum meter_kind kind, const char *tail,
		      size_t n, struct meter_reading *ret_last,
		      struct error *err)
{
	const char *end = n > 0 ? memchr(tail, '\n', n) : NULL;
	size_t skip = end ? (size_t)(end - tail) + 1 : 0;
	char text[TAIL_BYTES + 16];
	struct meter meter;
	int head = snprintf(text, sizeof(text), "time,%s\n", unit_of(kind));

	memcpy(text + head, tail + skip, n - skip);
	if (meter_parse(name, text, (size_t)head + n - skip, &meter, err) < 0)
		return error_set(err, -SOBRE_ECONFIG,
				 "the end of '%s' is no reading", name);
	if (meter.n > 0)
		*ret_last = meter.reading[meter.n - 1];
	meter_release(&meter);
	return 0;
}

/* A kill in mid-write leaves part of a line: it goes. `ret_last`: of time
 * INT64_MIN when there is none. */
static int mend_tail(int fd, const char *name, enum meter_kind kind,
		     uint64_t *ret_size, struct meter_reading *ret_last,
		     struct error *err)
{
	char tail[TAIL_BYTES];
	struct stat st;
	uint64_t from = 0;
	ssize_t n = -1;
	int rc = 0;

	ret_last->at_s = INT64_MIN;
	if (fstat(fd, &st) == 0) {
		if (st.st_size > TAIL_BYTES)
			from = (uint64_t)st.st_size - TAIL_BYTES;
		n = pread(fd, tail, TAIL_BYTES, (off_t)from);
	}
	if (n < 0)
		return error_set(err, -errno, "cannot read '%s': %s", name,
				 strerrordesc_np(errno));
	while (n > 0 && tail[n - 1] != '\n')
		n--;
	*ret_size = from + (uint64_t)n;
	if (*ret_size < (uint64_t)st.st_size)
		rc = io_ftruncate(fd, *ret_size);
	if (rc < 0)
		return error_set(err, rc, "cannot mend '%s': %s", name,
				 error_words(rc));
	return parse_tail(name, kind, tail, (size_t)n, ret_last, err);
}

/* The name of a new file must last, too. */
static int sync_names(int state_fd)
{
	cleanup_fd int dir =
		openat(state_fd, DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = dir < 0 ? -errno : io_fsync(dir);

	return rc < 0 ? rc : io_fsync(state_fd);
}

static int open_file(int state_fd, const char *path, struct error *err)
{
	int rc = io_mkdirat(state_fd, DIRECTORY, 0700);
	int fd = openat(state_fd, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (rc < 0 && rc != -EEXIST)
		return error_set(err, rc, "cannot make '%s': %s", DIRECTORY,
				 error_words(rc));
	if (fd >= 0)
		return fd;
	fd = errno == ENOENT
		     ? io_openat_create(state_fd, path, O_RDWR | O_EXCL, 0600)
		     : -errno;
	rc = fd < 0 ? fd : sync_names(state_fd);
	if (rc == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return error_set(err, rc, "cannot open '%s': %s", path,
			 error_words(rc));
}

static int write_line(int fd, uint64_t size, enum meter_kind kind,
		      const struct meter_reading *reading)
{
	char line[160];
	char when[32];
	time_t at = (time_t)reading->at_s;
	struct tm tm;
	int rc;

	if (!gmtime_r(&at, &tm) ||
	    strftime(when, sizeof(when), LINE_FORMAT, &tm) == 0)
		return -EINVAL;
	(void)snprintf(line, sizeof(line), "%s%s%s%s,%lld.%06lld\n",
		       size ? "" : "time,", size ? "" : unit_of(kind),
		       size ? "" : "\n", when,
		       (long long)(reading->value / MICRO),
		       (long long)(reading->value % MICRO));
	rc = io_pwrite(fd, line, strlen(line), size);
	return rc < 0 ? rc : io_fdatasync(fd);
}

int meter_append(int state_fd, const char *id, enum meter_kind kind,
		 const struct meter_reading *reading, struct error *err)
{
	char path[PATH_BYTES];
	cleanup_fd int fd = -1;
	struct meter_reading last;
	uint64_t size = 0;
	int rc;

	path_of(id, kind, path);
	fd = open_file(state_fd, path, err);
	if (fd < 0)
		return fd;
	rc = mend_tail(fd, path, kind, &size, &last, err);
	if (rc < 0)
		return rc;
	if (reading->at_s <= last.at_s)
		return error_set(err, -ESTALE,
				 "the clock was set back: the last reading is "
				 "%lld s later",
				 (long long)(last.at_s - reading->at_s));
	if (meter_is_absurd(kind, last.at_s == INT64_MIN ? NULL : &last,
			    reading))
		return error_set(err, -ERANGE,
				 "no array draws as much as that: over 1 MW");
	rc = write_line(fd, size, kind, reading);
	return rc < 0 ? error_set(err, rc, "cannot write '%s': %s", path,
				  error_words(rc))
		      : 0;
}

int meter_load_own(int state_fd, const char *id, enum meter_kind kind,
		   struct meter *ret_meter, struct error *err)
{
	char path[PATH_BYTES];

	path_of(id, kind, path);
	return meter_load_at(state_fd, path, ret_meter, err);
}
