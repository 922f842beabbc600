/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/report/sample_who.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S  INT64_C(86400)
#define TB     UINT64_C(1000000000000)
#define GB     UINT64_C(1000000000)
#define MW_H   INT64_C(3600)
#define RULES  4
#define PATH_N 4095

/* Starts of September 2025 to October 2026, UTC. */
static const int64_t starts[REPORT_MONTHS + 1] = {
	1756684800, 1759276800, 1761955200, 1764547200, 1767225600,
	1769904000, 1772323200, 1775001600, 1777593600, 1780272000,
	1782864000, 1785542400, 1788220800, 1790812800,
};

const char *const sample_names[] = {
	"town",	  "crowd",  "hostile",	"part", "never",
	"future", "oracle", "assessed", NULL,
};

static void fail(const char *what)
{
	(void)fprintf(stderr, "sample: %s\n", what);
	abort();
}

static void *zeroed(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	if (!p)
		fail("no memory");
	return p;
}

static char *keep(struct sample *s, char *text)
{
	if (!text || s->n_texts == sizeof(s->texts) / sizeof(s->texts[0]))
		fail("no room");
	s->texts[s->n_texts++] = text;
	return text;
}

/* --- months ----------------------------------------------------------------
 */

struct rows {
	struct tier_time row[512];
	unsigned int n;
};

static void add(struct rows *rows, enum tier tier, uint128 byte_s,
		const struct dept_set *set)
{
	if (byte_s > 0)
		rows->row[rows->n++] = (struct tier_time){
			.set = *set, .tier = tier, .byte_seconds = byte_s
		};
}

static struct dept_set one(uint16_t a)
{
	return (struct dept_set){ .n = 1, .member = { a } };
}

/* What each of `n` departments keeps alone, and pairs together. */
static void town_rows(struct rows *rows, unsigned int n, uint64_t bytes,
		      int64_t seconds)
{
	const struct dept_set nobody = { .n = 0 };

	for (uint16_t i = 0; i < n; i++) {
		uint128 held = (uint128)bytes * (uint64_t)(n + 3 - i) /
			       (uint64_t)(n + 4 + 3 * i) * (uint64_t)seconds;
		struct dept_set own = one(i);
		struct dept_set pair = { .n = 2,
					 .member = { i, (uint16_t)(i + 1) } };

		add(rows, TIER_LOGICAL, held * 3 / 2, &own);
		add(rows, TIER_HOT, held * 2 / 3, &own);
		add(rows, TIER_PACKED, held / 7, &own);
		if (i > 0 && i + 1u < n)
			add(rows, TIER_PACKED, held / 5, &pair);
	}
	add(rows, TIER_STATE, (uint128)bytes * n / 2 * (uint64_t)seconds,
	    &nobody);
}

static void put_energy(struct sample *s, struct report_month *m,
		       const struct rows *rows, const struct energy_input *how,
		       unsigned int numbers)
{
	struct energy_input in = *how;
	struct error err = ERROR_INIT;

	in.row = rows->row;
	in.rows = rows->n;
	in.seconds =
		m->end_s - (m->first_s > m->start_s ? m->first_s : m->start_s);
	in.departments = (uint16_t)numbers;
	if (energy_month(&s->coefs, &in, &m->energy, &err) < 0)
		fail(err.text);
	m->known = true;
}

static struct report_month whole(unsigned int i)
{
	return (struct report_month){
		.month = SAMPLE_MONTH - REPORT_MONTHS + 1 + (int32_t)i,
		.start_s = starts[i],
		.end_s = starts[i + 1],
		.first_s = starts[0] + 14 * DAY_S,
		.observed_s = starts[i + 1] - starts[i],
		.over = true,
		.version = 1,
		.closed_s = starts[i + 1] + 5 * 3600,
	};
}

/* The last of the months, by one who writes markup. */
static void corrected(struct report_month *m)
{
	m->version = 2;
	(void)snprintf(m->reason, sizeof(m->reason),
		       "compteur relu, <b>facture</b> du 12");
	m->failed = (struct report_checks){
		.n = 12345,
		.check = { { .name = "disk",
			     .text = "the disk holds 1 bytes of files, the "
				     "ledger says 2",
			     .has_numbers = true,
			     .counted = UINT64_MAX,
			     .found = 1 },
			   { .name = "ledger",
			     .text = "inode 5 is not as it was charged" },
			   { .name = "ledger",
			     .text = "inode 6 is not as it was charged" },
			   { .name = "<b>new</b>",
			     .text = "of a newer program" } },
	};
	for (unsigned int i = 4; i < REPORT_CHECKS; i++)
		m->failed.check[i] = m->failed.check[2];
	m->before_mwh = 1234567890;
	m->before_ueur = 197530862;
	m->before_use_ug = UINT64_C(56913579729);
	m->before_build_ug = UINT64_C(28000000000);
}

/* A drive that grows by a twentieth a month, on an array of 320 TB. */
static void town_months(struct sample *s, unsigned int departments)
{
	static struct rows rows; /* too big for a stack with sanitizers */
	uint64_t bytes = 12 * TB;

	for (unsigned int i = 0; i < REPORT_MONTHS; i++) {
		struct report_month m = whole(i);
		struct energy_array san = {
			.id = "san",
			.tiers = 1u << TIER_HOT | 1u << TIER_PACKED |
				 1u << TIER_ARCHIVE,
			.usable_bytes = 320 * TB,
			.fabrication_kg = INT64_C(1746640000),
			.bought = 12 * 2023 + 4,
		};
		const struct energy_input how = { .array = &san, .arrays = 1 };

		bytes += bytes / 20;
		rows.n = 0;
		town_rows(&rows, departments, bytes * 12 / departments,
			  m.end_s - m.start_s);
		/* 480 W. */
		san.measured_mwh =
			(uint64_t)((m.end_s - m.start_s) * 480 * 1000 / MW_H);
		san.meter = (struct energy_meter){
			.there = true,
			.covered_s = m.end_s - m.start_s,
			.readings = (unsigned int)(m.end_s - m.start_s) / 300,
		};
		if (i == 0) {
			san.measured_mwh = san.measured_mwh * 16 / 30;
			san.meter.covered_s = san.meter.covered_s * 16 / 30;
		}
		m.disk = (struct report_disk){
			.known = true,
			.files_bytes = bytes * 9,
			.packed_bytes = bytes * 3,
			.pack_rest_bytes = bytes / 50,
			.catalog_bytes = 9 * GB,
			.other_bytes = 2 * GB,
			.found_bytes = bytes * 12 + bytes / 50 + 11 * GB,
		};
		m.supply = (struct report_supply){
			.renewable_known = true,
			.renewable = 400000,
			.residual_known = true,
			.residual = 58700000,
			.supplier = 6000000,
		};
		m.observed_s = i == 0 ? 16 * DAY_S : m.observed_s;
		if (i == 5 && departments < 60) /* not mounted for a month */
			m.first_s = m.end_s;
		else
			put_energy(s, &m, &rows, &how, departments);
		s->month[i] = m;
	}
	s->in.months = REPORT_MONTHS;
}

static void one_month(struct sample *s, int64_t first_s, int64_t end_s)
{
	static struct rows rows;
	/* Its meter was read for two days. */
	const struct energy_array nas = {
		.id = "nas",
		.tiers = 1u << TIER_HOT | 1u << TIER_PACKED,
		.usable_bytes = TB,
		.bought = 12 * 2020,
		.life_s = 5 * 365 * DAY_S,
		.outlived = true,
		.meter = { .there = true,
			   .covered_s = 2 * DAY_S,
			   .readings = 17,
			   .gaps = 1,
			   .longest_gap_s = end_s - first_s - 2 * DAY_S },
	};
	const struct energy_input how = {
		.array = &nas,
		.arrays = end_s != starts[REPORT_MONTHS], /* "part" */
	};
	struct report_month m = whole(REPORT_MONTHS - 1);

	m.first_s = first_s;
	m.end_s = end_s;
	m.over = end_s == starts[REPORT_MONTHS];
	m.version = 0;
	m.observed_s = end_s - first_s - 3 * DAY_S - 4 * 3600;
	rows.n = 0;
	town_rows(&rows, 3, 40 * GB, end_s - first_s);
	put_energy(s, &m, &rows, &how, 3);
	s->month[0] = m;
	s->in.months = 1;
}

/* --- departments -----------------------------------------------------------
 */

static void departments(struct sample *s, const struct named *named,
			unsigned int n)
{
	s->department = zeroed(n, sizeof(*s->department));
	for (unsigned int i = 0; i < n; i++)
		s->department[i] = (struct report_department){
			.number = (uint16_t)i,
			.id = named[i].id,
			.name = named[i].name,
			.entity = named[i].entity,
		};
	s->in.department = s->department;
	s->in.departments = n;
}

static const char *long_text(struct sample *s, const char *start, size_t len,
			     char with)
{
	char *text = keep(s, zeroed(len + strlen(start), 1));

	(void)memcpy(text, start, strlen(start));
	(void)memset(text + strlen(start), with, len - strlen(start));
	return text;
}

static void crowd(struct sample *s, unsigned int n)
{
	const char *name =
		long_text(s, "Direction <des> \"affaires\" & ", 250, 'm');

	s->department = zeroed(n, sizeof(*s->department));
	for (unsigned int i = 0; i < n; i++) {
		char *id = NULL;

		if (asprintf(&id, "departement-%u", i) < 0)
			fail("no memory");
		s->department[i] = (struct report_department){
			.number = (uint16_t)i,
			.id = keep(s, id),
			.name = name,
		};
	}
	s->in.department = s->department;
	s->in.departments = n;
}

/* --- rules ------------------------------------------------------------------
 */

static const struct report_rule town_rules[RULES] = {
	{ .id = "old-video",
	  .label = "Vid\xc3\xa9os non ouvertes depuis 3 ans",
	  .source = "Note de la DSI du 12 mars 2026",
	  .files = 1284,
	  .bytes = 3400 * GB },
	{ .id = "duplicates",
	  .label = "Doublons exacts",
	  .source = "",
	  .files = 48210,
	  .bytes = 812 * GB },
	{ .id = "invoices",
	  .label = "Factures de plus de 10 ans",
	  .source = "Code de commerce, art. L123-22",
	  .files = 9120,
	  .bytes = 21 * GB },
	{ .id = "temporary",
	  .label = "Fichiers temporaires de bureautique",
	  .source = "",
	  .files = 0,
	  .bytes = 0 },
};

static const struct report_flagged town_files[] = {
	{ "/Ville/Urbanisme/PLU/2019/survol-drone-secteur-nord.mp4", 48 * GB, 1,
	  "derni\xc3\xa8re ouverture le 4 mars 2021" },
	{ "/Ville/Urbanisme/PLU/2019/survol-drone-secteur-sud.mp4", 41 * GB, 1,
	  "derni\xc3\xa8re ouverture le 4 mars 2021" },
	{ "/Ville/Urbanisme/Concertation/r\xc3\xa9union publique 12.mov",
	  17 * GB, 1, "derni\xc3\xa8re ouverture le 19 juin 2022" },
	{ "/Ville/Com/Voeux 2020/montage final.mov", 96 * GB, 3,
	  "derni\xc3\xa8re ouverture le 22 janvier 2020" },
};

static void rules(struct sample *s, const struct report_rule *from,
		  unsigned int n, const struct report_flagged *files,
		  unsigned int n_files)
{
	unsigned int numbers = s->in.departments;

	s->rule = zeroed(n, sizeof(*s->rule));
	s->in.numbers = numbers;
	for (unsigned int i = 0; i < n; i++) {
		uint64_t *files_of = zeroed(numbers, sizeof(*files_of));
		uint64_t *bytes_of = zeroed(numbers, sizeof(*bytes_of));

		s->rule[i] = from[i];
		files_of[1] = from[i].files / 3;
		bytes_of[1] = from[i].bytes / 3;
		files_of[0] = from[i].files - files_of[1];
		bytes_of[0] = from[i].bytes - bytes_of[1];
		s->rule[i].files_of = files_of;
		s->rule[i].bytes_of = bytes_of;
		if (i == 0) {
			s->rule[i].flagged = files;
			s->rule[i].n_flagged = n_files;
		}
	}
	s->in.rule = s->rule;
	s->in.rules = n;
	s->in.unmatched_files = 1204331;
	s->in.unmatched_bytes = 151 * TB;
}

static void crowd_rules(struct sample *s)
{
	static struct report_rule many[30];
	static struct report_flagged files[40];
	const char *label = long_text(s, "Fichiers ", 900, 'w');
	const char *const path[2] = {
		long_text(s, "/Ville/'\"<>& 0", PATH_N, '&'),
		long_text(s, "/Ville/'\"<>& 1", PATH_N, '&'),
	};
	static char ids[30][8];

	for (unsigned int i = 0; i < 30; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "r%02u", i);
		many[i] = (struct report_rule){ .id = ids[i],
						.label = label,
						.source = label,
						.files = 100 + i,
						.bytes = (100 + i) * GB };
	}
	for (unsigned int i = 0; i < 40; i++)
		files[i] = (struct report_flagged){ path[i % 2], (40 - i) * GB,
						    (uint16_t)(i % 2), label };
	rules(s, many, 30, files, 40);
}

/* --- hostile -----------------------------------------------------------------
 */

static void hostile_rules(struct sample *s)
{
	static const struct report_rule from[] = {
		{ .id = "r1",
		  .label = "</td></table><h1>rule</h1>",
		  .source = "javascript:alert(1)",
		  .files = 3,
		  .bytes = 7 * GB },
	};
	static struct report_flagged files[3];

	files[0] = (struct report_flagged){ long_text(s, "/deep", PATH_N, '/'),
					    3 * GB, 1, "&lt;reason&gt;" };
	files[1] = (struct report_flagged){
		"/latin1/\xe9t\xe9 \xc0\xaf \xf8\x88\x80\x80\x80.doc", 2 * GB,
		1, "caf\xc3"
	};
	files[2] = (struct report_flagged){ "/new\nline/" OVERRIDE "fdp.exe",
					    2 * GB, 1, "\x01\x7f\xc2\x85" };
	rules(s, from, 1, files, 3);
}

/* --- the worked example ------------------------------------------------------
 */

static void oracle_month(struct sample *s)
{
	static struct rows rows;
	const struct dept_set urb = one(1);
	const struct dept_set dej = one(2);
	const struct dept_set com = one(3);
	const struct dept_set two = { .n = 2, .member = { 1, 2 } };
	const struct dept_set all = { .n = 3, .member = { 1, 2, 3 } };
	const uint64_t activity[4] = { 0, 2, 1, 1 };
	const struct energy_input how = {
		.usable_bytes = 16 * GB,
		.measured_mwh = 100000,
		.activity_bytes = activity,
		.fabrication_kg = 730000,
	};
	struct report_month m = whole(REPORT_MONTHS - 1);

	rows.n = 0;
	add(&rows, TIER_HOT, UINT64_C(7776000000000000), &urb);
	add(&rows, TIER_HOT, UINT64_C(5184000000000000), &all);
	add(&rows, TIER_HOT, UINT64_C(10368000000000000), &two);
	add(&rows, TIER_HOT, UINT64_C(1555200000000000), &dej);
	add(&rows, TIER_PACKED, UINT64_C(388800000000000), &dej);
	add(&rows, TIER_HOT, UINT64_C(3456000000000000), &com);
	add(&rows, TIER_STATE, UINT64_C(388800000000000),
	    &(struct dept_set){ .n = 0 });
	add(&rows, TIER_LOGICAL, UINT64_C(23328000000000000), &urb);
	add(&rows, TIER_LOGICAL, UINT64_C(18662400000000000), &dej);
	add(&rows, TIER_LOGICAL, UINT64_C(8640000000000000), &com);
	put_energy(s, &m, &rows, &how, 4);
	s->month[0] = m;
	s->in.months = 1;
}

/* --- all
 * ---------------------------------------------------------------------- */

static void no_month(struct sample *s, bool future)
{
	s->month[0] = whole(REPORT_MONTHS - 1);
	s->in.months = 1;
	if (future)
		s->in.made_s = starts[REPORT_MONTHS - 1] - DAY_S;
}

static const struct report_savings town_savings = {
	.copies = 4120 * GB,
	.parts = 1930 * GB,
	.compression = 3275 * GB,
	.blocks = 61 * GB,
	.overhead = 43 * GB,
};

static bool fill(struct sample *s, const char *name)
{
	int64_t end = starts[REPORT_MONTHS];
	int64_t start = starts[REPORT_MONTHS - 1];

	if (strcmp(name, "oracle") != 0)
		s->in.organisation = strcmp(name, "hostile") != 0
					     ? &sample_town_hall
					     : &sample_hostile_hall;
	departments(s, sample_town, strcmp(name, "town") ? 4 : 12);
	if (!strcmp(name, "town")) {
		s->in.savings = &town_savings;
		town_months(s, 12);
		sample_stock(s, 12);
		rules(s, town_rules, RULES, town_files, 4);
	} else if (!strcmp(name, "crowd")) {
		free(s->department);
		crowd(s, 60);
		town_months(s, 60);
		sample_stock(s, 60);
		corrected(&s->month[REPORT_MONTHS - 1]);
		s->in.departments = 59; /* one is no longer there */
		crowd_rules(s);
	} else if (!strcmp(name, "hostile")) {
		free(s->department);
		departments(s, sample_hostile, 5);
		s->in.drive = "/srv/\xff<i>&'\"";
		one_month(s, start, end);
		corrected(&s->month[0]);
		hostile_rules(s);
	} else if (!strcmp(name, "part")) {
		s->in.made_s = start + 19 * DAY_S + 14 * 3600 + 5 * 60;
		one_month(s, start + 9 * DAY_S, s->in.made_s);
	} else if (!strcmp(name, "assessed")) {
		s->in.assessed = true;
		one_month(s, start, end);
		rules(s, town_rules, RULES, town_files, 4);
	} else if (!strcmp(name, "oracle")) {
		oracle_month(s);
	} else {
		no_month(s, !strcmp(name, "future"));
		return !strcmp(name, "never") || !strcmp(name, "future");
	}
	return true;
}

struct sample *sample_new(const char *name)
{
	struct sample *s = zeroed(1, sizeof(*s));

	coef_set_default(&s->coefs);
	s->in.coefs = &s->coefs;
	s->in.drive = "Lecteur bureautique de la Ville";
	s->in.made_s = starts[REPORT_MONTHS] + 6 * 3600;
	if (!fill(s, name)) {
		sample_free(s);
		return NULL;
	}
	s->in.month = s->month;
	return s;
}

void sample_free(struct sample *s)
{
	for (unsigned int i = 0; i < s->in.months; i++)
		energy_month_release(&s->month[i].energy);
	for (unsigned int i = 0; i < s->in.rules; i++) {
		free((void *)(uintptr_t)s->rule[i].files_of);
		free((void *)(uintptr_t)s->rule[i].bytes_of);
	}
	for (unsigned int i = 0; i < s->n_texts; i++)
		free(s->texts[i]);
	for (unsigned int i = 0; i < s->folders.n; i++)
		free(s->folders.folder[i].path);
	free(s->folders.folder);
	free(s->flows[0].department);
	free(s->flows[1].department);
	free(s->survey_before.department);
	free(s->survey.department);
	free(s->rule);
	free(s->department);
	free(s);
}
