/* SPDX-License-Identifier: EUPL-1.2 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/sobre/internal.h"

#define BAR_AFTER_MS 1000
#define BAR_EVERY_MS 200
#define BAR_WIDTH    30

#define AMOUNT_DECIMALS 9

int out_error(const struct error *err)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "sobre: %s\n", err->text);
	out_advice(err->code);
	return EXIT_REFUSED;
}

int out_usage(const char *fmt, ...)
{
	va_list args;

	(void)fflush(stdout);
	(void)fputs("sobre: ", stderr);
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fputc('\n', stderr);
	return EXIT_USAGE;
}

int out_json(const json_t *value, int status)
{
	if (json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) <
		    0 ||
	    putchar('\n') == EOF || fflush(stdout) == EOF)
		return EXIT_REFUSED;
	return status;
}

static enum units_lang units_lang(void)
{
	return po_lang() == PO_FR ? UNITS_FR : UNITS_EN;
}

struct size_text out_size(uint64_t size_bytes)
{
	struct size_text t;

	units_format_size(size_bytes, units_lang(), t.text);
	return t;
}

struct size_text out_duration(int64_t duration_s)
{
	struct size_text t;

	units_format_duration(duration_s, units_lang(), t.text);
	return t;
}

struct size_text out_amount(double value)
{
	struct size_text t;
	char *point;
	int decimals = value >= 10 ? 0 : 1;

	/* Not "8.6e-05", which few read. */
	for (double v = value; v > 0 && v < 1 && decimals < AMOUNT_DECIMALS;
	     v *= 10)
		decimals++;
	(void)snprintf(t.text, sizeof(t.text), "%.*f", value > 0 ? decimals : 0,
		       value);
	point = po_lang() == PO_FR ? strchr(t.text, '.') : NULL;
	if (point)
		*point = ',';
	return t;
}

/* --- the bar
 * ------------------------------------------------------------------ */

static int64_t monotonic_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return timespec_ns(ts) / (NS_PER_S / 1000);
}

void bar_start(struct bar *bar)
{
	bar->on = isatty(STDERR_FILENO) == 1;
	bar->start_ms = monotonic_ms();
	bar->drawn_ms = 0;
}

void bar_clear(struct bar *bar)
{
	if (bar->drawn_ms)
		(void)fputs("\r\033[K", stderr);
	bar->drawn_ms = 0;
}

static void draw_share(uint64_t done, uint64_t total)
{
	char cells[BAR_WIDTH + 1];
	uint64_t filled =
		done >= total
			? BAR_WIDTH
			: (uint64_t)((__uint128_t)done * BAR_WIDTH / total);

	memset(cells, '.', BAR_WIDTH);
	memset(cells, '#', filled);
	cells[BAR_WIDTH] = '\0';
	(void)fprintf(stderr, "\r\033[K[%s] %3u %%  %s / %s", cells,
		      done >= total
			      ? 100u
			      : (unsigned int)((__uint128_t)done * 100 / total),
		      out_size(done).text, out_size(total).text);
}

static void draw_count(const json_t *progress, unsigned long long done)
{
	cleanup_free char *path = json_name(progress, "path");

	for (char *c = path; c && *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
	(void)fprintf(stderr, "\r\033[K");
	(void)fprintf(stderr, TN("%llu file", "%llu files", done), done);
	if (path && *path)
		(void)fprintf(stderr, "  %.50s", path);
}

void bar_progress(void *ctx, const json_t *progress)
{
	struct bar *bar = ctx;
	int64_t now_ms = monotonic_ms();
	uint64_t done = json_u64(progress, "done");
	uint64_t total = json_u64(progress, "total");

	if (!bar->on || now_ms - bar->start_ms < BAR_AFTER_MS ||
	    now_ms - bar->drawn_ms < BAR_EVERY_MS ||
	    json_object_get(progress, "note"))
		return;
	if (total > 0 && !strcmp(json_text(progress, "unit"), "bytes"))
		draw_share(done, total);
	else
		draw_count(progress, done);
	(void)fflush(stderr);
	bar->drawn_ms = now_ms;
}

/* --- checks
 * --------------------------------------------------------------------- */

/* False: of another name, which the daemon's own text tells. */
static bool print_numbers(FILE *to, const char *name, const char *found,
			  const char *counted)
{
	if (!strcmp(name, "disk"))
		(void)fprintf(to,
			      T("the disk held %s bytes of files, the ledger "
				"counted %s"),
			      found, counted);
	else if (!strcmp(name, "packs"))
		(void)fprintf(
			to,
			T("the packs held %s bytes, the catalog counted %s"),
			found, counted);
	else if (!strcmp(name, "state"))
		(void)fprintf(to,
			      T("the state directory held %s bytes, the ledger "
				"counted %s"),
			      found, counted);
	else
		return false;
	return true;
}

static void print_check(FILE *to, const json_t *check)
{
	const char *found = json_text(check, "found");
	const char *name = json_text(check, "name");

	if (!*found ||
	    !print_numbers(to, name, found, json_text(check, "counted")))
		(void)fprintf(to, "%s: %s", name, json_text(check, "text"));
	(void)fputc('\n', to);
}

void out_texts(FILE *to, const char *prefix, const json_t *texts)
{
	const json_t *text;
	size_t i;

	json_array_foreach(texts, i, text)
	{
		struct error ignored = ERROR_INIT;
		cleanup_free char *name = NULL;

		if (json_to_name(text, FRAME_MAX_BYTES, &name, &ignored) == 0)
			(void)fprintf(to, "%s%s\n", prefix, name);
	}
}

void out_checks(FILE *to, const char *prefix, const json_t *checked)
{
	const json_t *checks = json_object_get(checked, "failed_checks");
	unsigned long long all = json_u64(checked, "n_failed");
	const json_t *check;
	size_t i;

	json_array_foreach(checks, i, check)
	{
		(void)fputs(prefix, to);
		print_check(to, check);
	}
	if (all > json_array_size(checks))
		(void)fprintf(to, T("%schecks that failed in all: %llu\n"),
			      prefix, all);
}

/* --- jansson
 * -------------------------------------------------------------------- */

unsigned long long json_u64(const json_t *object, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(object, key));

	return n > 0 ? (unsigned long long)n : 0;
}

const char *json_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

char *json_name(const json_t *object, const char *key)
{
	struct error ignored = ERROR_INIT;
	char *name = NULL;

	if (json_to_name(json_object_get(object, key), FRAME_MAX_BYTES, &name,
			 &ignored) < 0)
		return strdup("");
	return name;
}
