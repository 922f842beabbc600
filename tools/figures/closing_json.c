/* SPDX-License-Identifier: EUPL-1.2 */
/* A closing as JSON, and back: docs/format/month.md. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/cleanup.h"
#include "fs/base/hash.h"
#include "fs/base/wide.h"
#include "tools/figures/internal.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): texts are joined, members named */
#define LINE(key, kind, member)                                 \
	{                                                       \
		key, kind, offsetof(struct energy_line, member) \
	}
#define AMOUNT(key, member)                                       \
	LINE(key "_own", KIND_U64, member.own),                   \
		LINE(key "_shared", KIND_U64, member.shared),     \
		LINE(key "_activity", KIND_U64, member.activity), \
		LINE(key, KIND_U64, member.all)
#define TIER(key, tier) LINE(key "_byte_s", KIND_WIDE, tier_byte_s[tier])
/* NOLINTEND(bugprone-macro-parentheses) */

static const struct field line_fields[] = {
	LINE("own_byte_s", KIND_WIDE, own_byte_s),
	LINE("shared_byte_s", KIND_WIDE, shared_byte_s),
	LINE("logical_byte_s", KIND_WIDE, logical_byte_s),
	TIER("hot", TIER_HOT),
	TIER("packed", TIER_PACKED),
	TIER("archive", TIER_ARCHIVE),
	TIER("state", TIER_STATE),
	TIER("seen", TIER_LOGICAL),
	AMOUNT("mwh", mwh),
	AMOUNT("ueur", ueur),
	AMOUNT("use_ugco2e", use_ug),
	AMOUNT("build_ugco2e", build_ug),
};

/* Of an array: its id is apart. */
/* NOLINTBEGIN(bugprone-macro-parentheses): as above */
#define ARRAY(key, kind, member)                                       \
	{                                                              \
		key, kind, offsetof(struct energy_array_month, member) \
	}

#define SUM(key, member)                                          \
	ARRAY(key "mwh", KIND_U64, member.mwh),                   \
		ARRAY(key "ueur", KIND_U64, member.ueur),         \
		ARRAY(key "use_ugco2e", KIND_U64, member.use_ug), \
		ARRAY(key "build_ugco2e", KIND_U64, member.build_ug)
/* NOLINTEND(bugprone-macro-parentheses) */
static const struct field array_fields[] = {
	ARRAY("tiers", KIND_U32, tiers),
	ARRAY("usable_bytes", KIND_U64, usable_bytes),
	ARRAY("bought", KIND_I32, bought),
	ARRAY("life_s", KIND_I64, life_s),
	ARRAY("outlived", KIND_BOOL, outlived),
	ARRAY("measured", KIND_BOOL, measured),
	ARRAY("measured_mwh", KIND_U64, measured_mwh),
	ARRAY("modelled_mwh", KIND_U64, modelled_mwh),
	ARRAY("seconds", KIND_I64, seconds),
	ARRAY("meter_there", KIND_BOOL, meter.there),
	ARRAY("meter_covered_s", KIND_I64, meter.covered_s),
	ARRAY("meter_readings", KIND_U32, meter.readings),
	ARRAY("meter_gaps", KIND_U32, meter.gaps),
	ARRAY("meter_longest_gap_s", KIND_I64, meter.longest_gap_s),
	ARRAY("meter_falls", KIND_U32, meter.falls),
	ARRAY("build_known", KIND_BOOL, build_known),
	ARRAY("te_ugco2e", KIND_U64, te_ug),
	ARRAY("stored_byte_s", KIND_WIDE, stored_byte_s),
	ARRAY("reserve_byte_s", KIND_WIDE, reserve_byte_s),
	SUM("", all),
	SUM("reserve_", reserve),
	ARRAY("uncertainty_energy_micro", KIND_I64, uncertainty_energy),
	ARRAY("uncertainty_use_micro", KIND_I64, uncertainty),
	ARRAY("uncertainty_build_micro", KIND_I64, uncertainty_build),
};

#define MONTH(key, kind, member)                                 \
	{                                                        \
		key, kind, offsetof(struct report_month, member) \
	}
static const struct field month_fields[] = {
	MONTH("start_s", KIND_I64, start_s),
	MONTH("end_s", KIND_I64, end_s),
	MONTH("first_s", KIND_I64, first_s),
	MONTH("observed_s", KIND_I64, observed_s),
	MONTH("measured", KIND_BOOL, energy.measured),
	MONTH("measured_mwh", KIND_U64, energy.measured_mwh),
	MONTH("build_known", KIND_BOOL, energy.build_known),
	MONTH("modelled_mwh", KIND_U64, energy.modelled_mwh),
	MONTH("uncertainty_energy_micro", KIND_I64, energy.uncertainty_energy),
	MONTH("uncertainty_use_micro", KIND_I64, energy.uncertainty),
	MONTH("uncertainty_build_micro", KIND_I64, energy.uncertainty_build),
};

/* Not in a file that an older sobre wrote. */
static const struct field supply_fields[] = {
	MONTH("renewable_known", KIND_BOOL, supply.renewable_known),
	MONTH("renewable_micro", KIND_I64, supply.renewable),
	MONTH("residual_known", KIND_BOOL, supply.residual_known),
	MONTH("residual_micro", KIND_I64, supply.residual),
	MONTH("supplier_micro", KIND_I64, supply.supplier),
};
static const struct field disk_fields[] = {
	MONTH("disk_known", KIND_BOOL, disk.known),
	MONTH("disk_files_bytes", KIND_U64, disk.files_bytes),
	MONTH("disk_packed_bytes", KIND_U64, disk.packed_bytes),
	MONTH("disk_archive_bytes", KIND_U64, disk.archive_bytes),
	MONTH("disk_pack_rest_bytes", KIND_U64, disk.pack_rest_bytes),
	MONTH("disk_catalog_bytes", KIND_U64, disk.catalog_bytes),
	MONTH("disk_other_bytes", KIND_U64, disk.other_bytes),
	MONTH("disk_found_bytes", KIND_U64, disk.found_bytes),
};

#define COEF(key, kind, member)                          \
	{                                                \
		key, kind, offsetof(struct coef, member) \
	}
static const struct field coef_fields[] = {
	COEF("low_micro", KIND_I64, low),
	COEF("value_micro", KIND_I64, value),
	COEF("high_micro", KIND_I64, high),
	COEF("configured", KIND_BOOL, configured),
};

/* --- out ------------------------------------------------------------------ */

static json_t *wide_out(uint128 n)
{
	char text[WIDE_TEXT_MAX + 1];

	return json_string(wide_text(n, text));
}

static json_t *signed_out(int64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, n);
	return json_string(text);
}

static json_t *number_out(const struct field *f, const void *at)
{
	switch (f->kind) {
	case KIND_BOOL:
		return json_boolean(*(const bool *)at);
	case KIND_WIDE:
		return wide_out(*(const uint128 *)at);
	case KIND_U64:
		return wide_out(*(const uint64_t *)at);
	case KIND_U32:
		return wide_out(*(const unsigned int *)at);
	case KIND_I64:
		return signed_out(*(const int64_t *)at);
	case KIND_I32:
		return signed_out(*(const int32_t *)at);
	}
	return NULL;
}

int fields_out(json_t *to, const struct field *f, size_t n, const void *from)
{
	int rc = to ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = json_object_set_new(
			to, f[i].key,
			number_out(&f[i], (const char *)from + f[i].offset));
	return rc;
}

static json_t *line_out(const struct energy_line *line)
{
	json_t *to = json_object();

	if (fields_out(to, FIELDS(line_fields), line) == 0)
		return to;
	json_decref(to);
	return NULL;
}

static json_t *lines_out(const struct energy_month *e)
{
	json_t *to = json_array();
	int rc = to ? 0 : -1;

	for (uint16_t i = 0; rc == 0 && i < e->departments; i++)
		rc = json_array_append_new(to, line_out(&e->department[i]));
	if (rc == 0)
		return to;
	json_decref(to);
	return NULL;
}

static json_t *array_out(const struct energy_array_month *a)
{
	json_t *to = json_pack("{s:s}", "id", a->id);

	if (fields_out(to, FIELDS(array_fields), a) == 0)
		return to;
	json_decref(to);
	return NULL;
}

static json_t *arrays_out(const struct energy_month *e)
{
	json_t *to = json_array();
	int rc = to ? 0 : -1;

	for (unsigned int i = 0; rc == 0 && i < e->arrays; i++)
		rc = json_array_append_new(to, array_out(&e->array[i]));
	if (rc == 0)
		return to;
	json_decref(to);
	return NULL;
}

static json_t *coef_out(const struct coef *c)
{
	const char quality[2] = { c->quality, '\0' };
	json_t *to = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "id",
			       c->id, "label", c->label, "unit", c->unit,
			       "quality", quality, "source", c->source, "url",
			       c->url, "year", (int)c->source_year);

	if (fields_out(to, FIELDS(coef_fields), c) == 0)
		return to;
	json_decref(to);
	return NULL;
}

static json_t *coefs_out(const struct coef_set *coefs)
{
	json_t *to = json_array();
	int rc = to ? 0 : -1;

	for (unsigned int i = 0; rc == 0 && i < COEFS; i++)
		rc = json_array_append_new(to, coef_out(&coefs->coef[i]));
	if (rc == 0)
		return to;
	json_decref(to);
	return NULL;
}

/* 16 hexadecimal digits, of all but "check" itself, keys in order. */
static int checksum(json_t *root, char ret_text[17])
{
	json_t *check = json_incref(json_object_get(root, "check"));
	cleanup_free char *text = NULL;

	(void)json_object_del(root, "check");
	text = json_dumps(root, JSON_SORT_KEYS | JSON_COMPACT);
	if (check)
		(void)json_object_set_new(root, "check", check);
	if (!text)
		return -ENOMEM;
	(void)snprintf(ret_text, 17, "%016" PRIx64, hash64(text, strlen(text)));
	return 0;
}

static int sign(json_t *root)
{
	char text[17];
	int rc = checksum(root, text);

	return rc < 0 ? rc
		      : json_object_set_new(root, "check", json_string(text));
}

static int survey_put(json_t *root, const struct report_survey *survey)
{
	return survey ? json_object_set_new(root, "survey", survey_out(survey))
		      : 0;
}

static int flows_put(json_t *root, const struct report_flows *flows)
{
	return flows ? json_object_set_new(root, "flows", flows_out(flows)) : 0;
}

json_t *closing_out(const struct closing *c)
{
	const struct report_month *m = &c->month;
	json_t *root = json_pack(
		"{s:i, s:i, s:i, s:I, s:s, s:o?, s:o?, s:o?, s:o?, s:o?, s:o?,"
		" s:o?, s:I}",
		"schema", CLOSING_SCHEMA, "month", (int)m->month, "version",
		(int)c->version, "closed_s", (json_int_t)c->closed_s, "reason",
		c->reason, "departments", lines_out(&m->energy), "overhead",
		line_out(&m->energy.overhead), "reserve",
		line_out(&m->energy.reserve), "total",
		line_out(&m->energy.total), "arrays", arrays_out(&m->energy),
		"coefficients", coefs_out(&c->coefs), "failed_checks",
		checks_json(&m->failed), "n_failed", (json_int_t)m->failed.n);

	if (root && fields_out(root, FIELDS(month_fields), m) == 0 &&
	    fields_out(root, FIELDS(supply_fields), m) == 0 &&
	    fields_out(root, FIELDS(disk_fields), m) == 0 &&
	    survey_put(root, m->survey) == 0 &&
	    flows_put(root, m->flows) == 0 && sign(root) == 0)
		return root;
	json_decref(root);
	return NULL;
}

/* --- in ------------------------------------------------------------------- */

bool wide_in(const char *text, uint128 *ret_value)
{
	const uint128 most = ~(uint128)0;
	uint128 v = 0;

	if (!text || *text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		unsigned int digit = (unsigned int)(*text - '0');

		if (v > (most - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*ret_value = v;
	return *text == '\0';
}

/* Stores what has room; the bounds are the kind's. */
static bool put_number(const struct field *f, bool negative, uint128 v,
		       void *to)
{
	int64_t signed_v = negative ? -(int64_t)v : (int64_t)v;

	switch (f->kind) {
	case KIND_WIDE:
		*(uint128 *)to = v;
		return true;
	case KIND_U64:
		*(uint64_t *)to = (uint64_t)v;
		return v <= UINT64_MAX;
	case KIND_U32:
		*(unsigned int *)to = (unsigned int)v;
		return v <= UINT_MAX;
	case KIND_I64:
		*(int64_t *)to = signed_v;
		return v <= INT64_MAX;
	case KIND_I32:
		*(int32_t *)to = (int32_t)signed_v;
		return v <= INT32_MAX;
	case KIND_BOOL:
		break;
	}
	return false;
}

static bool number_in(const json_t *from, const struct field *f, void *to)
{
	const char *text = json_string_value(from);
	bool may_be_negative = f->kind == KIND_I64 || f->kind == KIND_I32;
	bool negative = may_be_negative && text && *text == '-';
	uint128 v;

	if (f->kind == KIND_BOOL) {
		*(bool *)to = json_is_true(from);
		return json_is_boolean(from);
	}
	return wide_in(negative ? text + 1 : text, &v) &&
	       put_number(f, negative, v, to);
}

bool fields_in(const json_t *from, const struct field *f, size_t n, void *to)
{
	for (size_t i = 0; i < n; i++)
		if (!number_in(json_object_get(from, f[i].key), &f[i],
			       (char *)to + f[i].offset))
			return false;
	return true;
}

static bool line_in(const json_t *from, struct energy_line *to)
{
	return fields_in(from, FIELDS(line_fields), to);
}

static bool text_in(const json_t *from, const char *key, const char **ret_text)
{
	*ret_text = json_string_value(json_object_get(from, key));
	return *ret_text != NULL;
}

static bool coef_in(const json_t *from, struct coef *to)
{
	const char *quality;

	if (!text_in(from, "id", &to->id) ||
	    !text_in(from, "label", &to->label) ||
	    !text_in(from, "unit", &to->unit) ||
	    !text_in(from, "source", &to->source) ||
	    !text_in(from, "url", &to->url) ||
	    !text_in(from, "quality", &quality))
		return false;
	to->quality = *quality;
	to->source_year =
		(uint16_t)json_integer_value(json_object_get(from, "year"));
	return fields_in(from, FIELDS(coef_fields), to);
}

/* By their place: a set of other coefficients is another schema. */
static bool coefs_in(const json_t *from, struct coef_set *to)
{
	struct coef_set now;

	coef_set_default(&now);
	if (json_array_size(from) != COEFS)
		return false;
	for (unsigned int i = 0; i < COEFS; i++)
		if (!coef_in(json_array_get(from, i), &to->coef[i]) ||
		    strcmp(to->coef[i].id, now.coef[i].id) != 0)
			return false;
	return true;
}

static bool lines_in(const json_t *from, struct energy_month *to)
{
	size_t n = json_array_size(from);

	if (!json_is_array(from) || n > DEPARTMENTS_MAX)
		return false;
	to->department = calloc(n + 1, sizeof(*to->department));
	if (!to->department)
		return false;
	to->departments = (uint16_t)n;
	for (size_t i = 0; i < n; i++)
		if (!line_in(json_array_get(from, i), &to->department[i]))
			return false;
	return true;
}

static bool array_in(const json_t *from, struct energy_array_month *to)
{
	const char *id;

	if (!text_in(from, "id", &id) || strlen(id) >= sizeof(to->id))
		return false;
	memcpy(to->id, id, strlen(id) + 1);
	return fields_in(from, FIELDS(array_fields), to);
}

/* Months closed before arrays were told apart have none. */
static bool arrays_in(const json_t *from, struct energy_month *to)
{
	size_t n = json_array_size(from);

	if (!from)
		return true;
	if (!json_is_array(from) || n > ENERGY_ARRAYS_MAX + 1)
		return false;
	to->array = calloc(n + 1, sizeof(*to->array));
	if (!to->array)
		return false;
	to->arrays = (unsigned int)n;
	for (size_t i = 0; i < n; i++)
		if (!array_in(json_array_get(from, i), &to->array[i]))
			return false;
	return true;
}

static bool head_in(const json_t *root, struct closing *to)
{
	json_int_t version =
		json_integer_value(json_object_get(root, "version"));
	const char *reason;

	if (json_integer_value(json_object_get(root, "schema")) !=
		    CLOSING_SCHEMA ||
	    version < 1 || version > CLOSING_VERSIONS ||
	    !text_in(root, "reason", &reason))
		return false;
	to->version = (unsigned int)version;
	to->closed_s = json_integer_value(json_object_get(root, "closed_s"));
	to->month.month =
		(int32_t)json_integer_value(json_object_get(root, "month"));
	(void)snprintf(to->reason, sizeof(to->reason), "%s", reason);
	return true;
}

static bool flows_take_in(const json_t *root, struct report_month *to)
{
	const json_t *flows = json_object_get(root, "flows");

	to->flows = flows ? flows_in(flows) : NULL;
	return !flows || to->flows;
}

/* Months that were closed before there were any have none. */
static bool survey_take_in(const json_t *root, struct report_month *to)
{
	const json_t *survey = json_object_get(root, "survey");

	to->survey = survey ? survey_in(survey) : NULL;
	return !survey || to->survey;
}

static bool newer_in(const json_t *root, struct report_month *to)
{
	return (!json_object_get(root, supply_fields[0].key) ||
		fields_in(root, FIELDS(supply_fields), to)) &&
	       (!json_object_get(root, disk_fields[0].key) ||
		fields_in(root, FIELDS(disk_fields), to));
}

bool closing_in(json_t *root, struct closing *to)
{
	struct energy_month *e = &to->month.energy;
	const char *check;
	char now[17];

	*to = (struct closing){ .root = root };
	if (!text_in(root, "check", &check) || checksum(root, now) < 0 ||
	    strcmp(check, now) != 0 || !head_in(root, to))
		return false;
	to->month.known = true; /* what is there is released */
	to->month.over = true;
	return checks_in(json_object_get(root, "failed_checks"),
			 json_object_get(root, "n_failed"),
			 &to->month.failed) &&
	       survey_take_in(root, &to->month) &&
	       flows_take_in(root, &to->month) &&
	       lines_in(json_object_get(root, "departments"), e) &&
	       line_in(json_object_get(root, "overhead"), &e->overhead) &&
	       line_in(json_object_get(root, "reserve"), &e->reserve) &&
	       line_in(json_object_get(root, "total"), &e->total) &&
	       arrays_in(json_object_get(root, "arrays"), e) &&
	       coefs_in(json_object_get(root, "coefficients"), &to->coefs) &&
	       fields_in(root, FIELDS(month_fields), &to->month) &&
	       newer_in(root, &to->month);
}
