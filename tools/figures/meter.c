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
	struct meter meter;
	size_t room;
};

static int bad(const struct parser *p, struct error *err, const char *what)
{
	return error_set(err, -SOBRE_ECONFIG, "%s:%u: %s", p->name, p->line,
			 what);
}

/* --- a line -------------------------------------------------------------- */

/* `n` digits; false when they aren't, or not in [low, high]. */
static bool read_digits(const char **at, unsigned int n, int low, int high,
			int *ret_value)
{
	int value = 0;

	for (; n > 0; n--, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		value = value * 10 + (**at - '0');
	}
	*ret_value = value;
	return value >= low && value <= high;
}

static bool read_char(const char **at, char c)
{
	return *(*at)++ == c;
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

/* 2026-09-01T00:00:00Z, or without its seconds; to where it ends, or NULL. */
static const char *read_time(const char *at, int64_t *ret_s)
{
	int year = 0;
	int month = 0;
	int day = 0;
	int hour = 0;
	int minute = 0;
	int second = 0;

	if (!read_digits(&at, 4, 1970, 9999, &year) || !read_char(&at, '-') ||
	    !read_digits(&at, 2, 1, 12, &month) || !read_char(&at, '-') ||
	    !read_digits(&at, 2, 1, days_in(year, month), &day) ||
	    !read_char(&at, 'T') || !read_digits(&at, 2, 0, 23, &hour) ||
	    !read_char(&at, ':') || !read_digits(&at, 2, 0, 59, &minute))
		return NULL;
	if (*at == ':' &&
	    (!read_char(&at, ':') || !read_digits(&at, 2, 0, 59, &second)))
		return NULL;
	if (*at != 'Z')
		return NULL;
	*ret_s = days_before(year, month, day) * DAY_S + INT64_C(3600) * hour +
		 INT64_C(60) * minute + second;
	return at + 1;
}

static int add_reading(struct parser *p, struct meter_reading reading,
		       struct error *err)
{
	struct meter *m = &p->meter;

	if (m->n > 0 && reading.at_s <= m->reading[m->n - 1].at_s)
		return bad(p, err, "not later than the reading before");
	if (m->n == METER_MAX_READINGS)
		return bad(p, err, "too many readings");
	if (m->n == p->room) {
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

static int read_reading(struct parser *p, const char *line, struct error *err)
{
	struct meter_reading reading = { .at_s = 0 };
	const char *at = read_time(line, &reading.at_s);
	int rc;

	if (!at)
		return bad(p, err,
			   "no time like 2026-09-01T00:00:00Z at its start");
	if (*at != ',')
		return bad(p, err, "no comma after the time");
	rc = strchr(at + 1, ',') ? -EINVAL
				 : micro_parse(at + 1, &reading.value);
	if (rc == -ERANGE)
		return bad(p, err, "too big, or more than 6 decimals");
	if (rc < 0)
		return bad(p, err, "no number like 1234.5 after the time");
	return add_reading(p, reading, err);
}

static int read_line(struct parser *p, bool *header, const char *line,
		     struct error *err)
{
	if (line[0] == '\0' || line[0] == '#')
		return 0;
	if (*header)
		return read_reading(p, line, err);
	*header = true;
	if (!strcmp(line, "time,kWh"))
		p->meter.kind = METER_KWH;
	else if (!strcmp(line, "time,W"))
		p->meter.kind = METER_W;
	else
		return bad(p, err, "not 'time,kWh' or 'time,W'");
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
		char line[LINE_MAX_BYTES];

		len -= n + 1;
		if (n >= sizeof(line))
			return bad(p, err, "too long a line");
		memcpy(line, text, n);
		text = end + 1;
		if (n > 0 && line[n - 1] == '\r')
			n--;
		line[n] = '\0';
		if (memchr(line, '\0', n))
			return bad(p, err, "a NUL byte");
		rc = read_line(p, &header, line, err);
	}
	if (rc == 0 && !header)
		rc = bad(p, err, "no line 'time,kWh' or 'time,W'");
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

int meter_load(const char *path, struct meter *ret_meter, struct error *err)
{
	/* A FIFO in its place must not hang a report. */
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	cleanup_buf struct buf b;
	int rc;

	buf_init(&b, METER_MAX_BYTES + 65536);
	rc = fd < 0 ? -errno : read_all(fd, &b);
	if (rc < 0)
		return error_set(err, rc, "cannot read '%s': %s", path,
				 error_words(rc));
	return meter_parse(path, (const char *)b.data, b.len, ret_meter, err);
}

void meter_release(struct meter *meter)
{
	free(meter->reading);
	*meter = (struct meter){ .n = 0 };
}

/* --- what it measured ---------------------------------------------------- */

/* Between two readings: millionths of a mWh in `part_s` seconds of it, and
 * false when that isn't known. Bits: 63 + 34 + 20. */
static bool measured_between(const struct meter *meter,
			     const struct meter_reading *a, int64_t part_s,
			     uint128 *ret_energy)
{
	const struct meter_reading *b = a + 1;
	int64_t all_s = b->at_s - a->at_s;

	if (meter->kind == METER_W) {
		/* microwatts: 3,600,000 for a second are a mWh */
		*ret_energy = ((uint128)a->value + (uint128)b->value) *
			      (uint128)part_s * 10 / 72;
		return all_s <= DAY_S;
	}
	if (b->value < a->value)
		return false;
	*ret_energy = (uint128)(b->value - a->value) * (uint128)part_s *
		      (uint128)MICRO / (uint128)all_s;
	return true;
}

/* The last reading at or before `at_s`, or the first. */
static size_t reading_before(const struct meter *meter, int64_t at_s)
{
	size_t low = 0;
	size_t high = meter->n;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (meter->reading[mid].at_s <= at_s)
			low = mid;
		else
			high = mid;
	}
	return low;
}

int meter_measure(const struct meter *meter, int64_t from_s, int64_t to_s,
		  uint64_t *ret_mwh, int64_t *ret_covered_s, struct error *err)
{
	uint128 energy = 0;
	int64_t covered_s = 0;

	for (size_t i = meter->n ? reading_before(meter, from_s) : 0;
	     i + 1 < meter->n && meter->reading[i].at_s < to_s; i++) {
		const struct meter_reading *a = &meter->reading[i];
		int64_t start = a->at_s > from_s ? a->at_s : from_s;
		int64_t end = a[1].at_s < to_s ? a[1].at_s : to_s;
		uint128 part = 0;

		if (start >= end ||
		    !measured_between(meter, a, end - start, &part))
			continue;
		covered_s += end - start;
		energy += part;
	}
	energy = (energy + MICRO / 2) / (uint128)MICRO;
	if (energy > UINT64_MAX)
		return error_set(err, -EOVERFLOW,
				 "a meter measured more than can be");
	*ret_mwh = (uint64_t)energy;
	*ret_covered_s = covered_s;
	return 0;
}
