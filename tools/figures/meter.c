/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "fs/base/buf.h"
#include "tools/figures/figures.h"

#define LINE_MAX_BYTES 128
#define DAY_S	       INT64_C(86400)

struct parser {
	const char *name;
	unsigned int line;
	char text[LINE_MAX_BYTES]; /* of the line */
	struct meter meter;
	size_t room;
};

/* `at` is where in the line; NULL: its start. */
static int bad(const struct parser *p, const char *at, struct error *err,
	       const char *what)
{
	return error_set(err, -SOBRE_ECONFIG, "%s:%u:%u: %s", p->name, p->line,
			 at ? (unsigned int)(at - p->text) + 1 : 1, what);
}

/* --- a line -------------------------------------------------------------- */

/* `n` digits; false when they aren't, or not in [low, high]: `*at` is then
 * where they start. */
static bool read_digits(const char **at, unsigned int n, int low, int high,
			int *ret_value)
{
	int value = 0;

	for (unsigned int i = 0; i < n; i++) {
		char c = (*at)[i];

		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	if (value < low || value > high)
		return false;
	*ret_value = value;
	*at += n;
	return true;
}

static bool read_char(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static int days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30,
				    31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

static int64_t days_before(int year, int month, int day)
{
	int64_t past = year - 1;
	int64_t days = past * 365 + past / 4 - past / 100 + past / 400;

	for (int m = 1; m < month; m++)
		days += days_in(year, m);
	return days + day - 1 - 719162; /* 1970-01-01 */
}

/* 2026-09-01T00:00:00Z, or without its seconds; `*at` goes to its end, or to
 * what is wrong. */
static bool read_time(const char **at, int64_t *ret_s)
{
	int year = 0;
	int month = 0;
	int day = 0;
	int hour = 0;
	int minute = 0;
	int second = 0;

	if (!read_digits(at, 4, 1970, 9999, &year) || !read_char(at, '-') ||
	    !read_digits(at, 2, 1, 12, &month) || !read_char(at, '-') ||
	    !read_digits(at, 2, 1, days_in(year, month), &day) ||
	    !read_char(at, 'T') || !read_digits(at, 2, 0, 23, &hour) ||
	    !read_char(at, ':') || !read_digits(at, 2, 0, 59, &minute))
		return false;
	if (**at == ':' &&
	    (!read_char(at, ':') || !read_digits(at, 2, 0, 59, &second)))
		return false;
	if (!read_char(at, 'Z'))
		return false;
	*ret_s = days_before(year, month, day) * DAY_S + INT64_C(3600) * hour +
		 INT64_C(60) * minute + second;
	return true;
}

static int add_reading(struct parser *p, struct meter_reading reading,
		       const char *value, struct error *err)
{
	struct meter *m = &p->meter;
	const struct meter_reading *before =
		m->n > 0 ? &m->reading[m->n - 1] : NULL;

	if (before && reading.at_s <= before->at_s)
		return bad(p, NULL, err, "not later than the reading before");
	if (meter_is_absurd(m->kind, before, &reading))
		return bad(p, value, err,
			   "no array draws as much as that: over 1 MW");
	if (m->n == METER_MAX_READINGS)
		return bad(p, NULL, err, "too many readings");
	if (!m->reading || m->n == p->room) {
		size_t room = p->room ? 2 * p->room : 1024;
		struct meter_reading *more =
			reallocarray(m->reading, room, sizeof(*more));

		if (!more)
			return error_set(err, -ENOMEM,
					 "no memory for the readings of '%s'",
					 p->name);
		m->reading = more;
		p->room = room;
	}
	m->reading[m->n++] = reading;
	return 0;
}

static int read_reading(struct parser *p, struct error *err)
{
	struct meter_reading reading = { .at_s = 0 };
	const char *at = p->text;
	int rc;

	if (!read_time(&at, &reading.at_s))
		return bad(p, at, err, "no time like 2026-09-01T00:00:00Z");
	if (*at != ',')
		return bad(p, at, err, "no comma after the time");
	at++;
	rc = strchr(at, ',') ? -EINVAL : micro_parse(at, &reading.value);
	if (rc == -ERANGE)
		return bad(p, at, err, "too big, or more than 6 decimals");
	if (rc < 0 && *at == '-')
		return bad(p, at, err, "a meter says nothing below 0");
	if (rc < 0)
		return bad(p, at, err, "no number like 1234.5 after the time");
	return add_reading(p, reading, at, err);
}

static int read_line(struct parser *p, bool *header, struct error *err)
{
	const char *line = p->text;

	if (line[0] == '\0' || line[0] == '#')
		return 0;
	if (*header)
		return read_reading(p, err);
	*header = true;
	if (!strcmp(line, "time,kWh"))
		p->meter.kind = METER_KWH;
	else if (!strcmp(line, "time,W"))
		p->meter.kind = METER_W;
	else
		return bad(p, NULL, err, "not 'time,kWh' or 'time,W'");
	return 0;
}

/* --- a file -------------------------------------------------------------- */

static int read_lines(struct parser *p, const char *text, size_t len,
		      struct error *err)
{
	bool header = false;
	const char *end;
	int rc = 0;

	for (; (end = memchr(text, '\n', len)) && rc == 0; p->line++) {
		size_t n = (size_t)(end - text);

		len -= n + 1;
		if (n >= sizeof(p->text))
			return bad(p, NULL, err, "too long a line");
		memcpy(p->text, text, n);
		text = end + 1;
		if (n > 0 && p->text[n - 1] == '\r')
			n--;
		p->text[n] = '\0';
		if (memchr(p->text, '\0', n))
			return bad(p, memchr(p->text, '\0', n), err,
				   "a NUL byte");
		rc = read_line(p, &header, err);
	}
	if (rc == 0 && !header)
		rc = bad(p, NULL, err, "no line 'time,kWh' or 'time,W'");
	return rc;
}

int meter_parse(const char *name, const char *text, size_t len,
		struct meter *ret_meter, struct error *err)
{
	static const char bom[] = { '\xef', '\xbb', '\xbf' };
	struct parser p = { .name = name, .line = 1 };
	int rc;

	if (len > METER_MAX_BYTES)
		return error_set(err, -EFBIG, "'%s' is too big", name);
	if (len >= sizeof(bom) && !memcmp(text, bom, sizeof(bom))) {
		text += sizeof(bom);
		len -= sizeof(bom);
	}
	rc = read_lines(&p, text, len, err);
	if (rc < 0) {
		meter_release(&p.meter);
		return rc;
	}
	*ret_meter = p.meter;
	return 0;
}

static int read_all(int fd, struct buf *b)
{
	for (;;) {
		uint8_t *at = buf_extend(b, 65536);
		ssize_t n;

		if (!at)
			return buf_error(b);
		n = read(fd, at, 65536);
		if (n < 0 && errno != EINTR)
			return -errno;
		b->len -= 65536 - (n > 0 ? (size_t)n : 0);
		if (n == 0)
			return 0;
	}
}

int meter_load_at(int dir_fd, const char *path, struct meter *ret_meter,
		  struct error *err)
{
	/* A FIFO in its place must not hang a report. */
	cleanup_fd int fd =
		openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	cleanup_buf struct buf b;
	int rc;

	buf_init(&b, METER_MAX_BYTES + 65536);
	rc = fd < 0 ? -errno : read_all(fd, &b);
	if (rc < 0)
		return error_set(err, rc, "cannot read '%s': %s", path,
				 error_words(rc));
	return meter_parse(path, (const char *)b.data, b.len, ret_meter, err);
}

int meter_load(const char *path, struct meter *ret_meter, struct error *err)
{
	return meter_load_at(AT_FDCWD, path, ret_meter, err);
}

void meter_release(struct meter *meter)
{
	free(meter->reading);
	*meter = (struct meter){ .n = 0 };
}
