/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_FIGURES_INTERNAL_H
#define SOBREFS_FIGURES_INTERNAL_H

#include "fs/base/wide.h"
#include "fs/ledger/ledger.h"
#include "tools/figures/figures.h"

#define CLOSING_SCHEMA	 1
#define CLOSING_VERSIONS 999

/* NULL without memory. */
json_t *closing_out(const struct closing *closing);
/* Takes `root` over, also when it isn't one: closing_release(). */
bool closing_in(json_t *root, struct closing *ret_closing);
/* `n`: how many there were, more than are kept; NULL: those. False: it is no
 * list of checks. */
bool checks_in(const json_t *from, const json_t *n,
	       struct report_checks *ret_checks);
/* A decimal text. */
bool wide_in(const char *text, uint128 *ret_value);

/* --- numbers of a struct, as decimal texts: JSON's have 53 bits in many
 * programs --- */

enum kind {
	KIND_WIDE, /* uint128 */
	KIND_U64,
	KIND_I64,
	KIND_U32, /* unsigned int */
	KIND_I32,
	KIND_BOOL
};
struct field {
	const char *key;
	enum kind kind;
	size_t offset;
};
#define FIELDS(table) table, sizeof(table) / sizeof((table)[0])
int fields_out(json_t *to, const struct field *f, size_t n, const void *from);
bool fields_in(const json_t *from, const struct field *f, size_t n, void *to);

/* NULL without memory. */
json_t *survey_out(const struct report_survey *survey);
/* NULL when it isn't one, or without memory. */
struct report_survey *survey_in(const json_t *from);

/* The same of flows. */
json_t *flows_out(const struct report_flows *flows);
struct report_flows *flows_in(const json_t *from);
struct report_flows *flows_new(uint16_t departments);
void flows_free(struct report_flows *flows); /* or NULL */
/* Those of the month, into it. */
int flows_take(const struct figures_source *from, struct report_month *month,
	       struct error *err);

struct folder_size {
	uint64_t files;
	uint64_t stored_bytes;
	uint64_t exclusive_bytes;
};

struct report_survey *survey_new(uint16_t departments);
enum report_kind kind_of(const char *name);
/* What programs leave behind: "~$note.docx", "x.bak". */
bool name_is_temporary(const char *name);
enum report_age age_of(int32_t used_day, int32_t today);

/* Of what is counted: the drive's first second, or the month's. */
static inline int64_t counted_from(const struct ledger_month *m)
{
	return m->first_s > m->start_s ? m->first_s : m->start_s;
}

/* Those that were there, with what their meters say of that month. */
int figures_arrays(const struct figures_source *from,
		   const struct ledger_month *m, int64_t seconds,
		   struct energy_array ret_arrays[ENERGY_ARRAYS_MAX],
		   unsigned int *ret_n, struct error *err);

#endif
