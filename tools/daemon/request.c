/* SPDX-License-Identifier: EUPL-1.2 */
/* Requests, to and from JSON. */
#include <errno.h>
#include <string.h>

#include "tools/daemon/protocol.h"

static const char *const command_names[REQUEST_COMMANDS] = {
	[REQUEST_STATUS] = "status", [REQUEST_EXPLAIN] = "explain",
	[REQUEST_PACK] = "pack",     [REQUEST_UNPACK] = "unpack",
	[REQUEST_FSCK] = "fsck",     [REQUEST_GC] = "gc",
	[REQUEST_SCRUB] = "scrub",   [REQUEST_ACCEPT] = "accept",
	[REQUEST_DU] = "du",	     [REQUEST_PLAN] = "plan",
	[REQUEST_REPORT] = "report", [REQUEST_MONTH] = "month",
};

const char *request_command_name(enum request_command command)
{
	return command_names[command];
}

/* --- texts: each a name of JSON, or absent ------------------------------- */

static const struct text_key {
	const char *key;
	size_t offset; /* in struct request */
} text_keys[] = {
	{ "way", offsetof(struct request, way) },
	{ "policies", offsetof(struct request, policies) },
	{ "rule", offsetof(struct request, rule) },
	{ "department", offsetof(struct request, department) },
	{ "out", offsetof(struct request, out) },
	{ "reason", offsetof(struct request, reason) },
};
#define TEXTS	       (sizeof(text_keys) / sizeof(text_keys[0]))
#define TEXT_MAX_BYTES ((size_t)REQUEST_PATH_MAX * 2)

static char **text_of(struct request *request, size_t i)
{
	return (char **)(void *)((char *)request + text_keys[i].offset);
}

static int decode_texts(const json_t *value, struct request *request,
			struct error *err)
{
	for (size_t i = 0; i < TEXTS; i++) {
		const json_t *text = json_object_get(value, text_keys[i].key);
		int rc = 0;

		if (text && !json_is_null(text))
			rc = json_to_name(text, TEXT_MAX_BYTES,
					  text_of(request, i), err);
		if (rc < 0)
			return error_prefix(err, "'%s'", text_keys[i].key);
	}
	return 0;
}

static int encode_texts(const struct request *request, json_t *value)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < TEXTS; i++) {
		const void *at = (const char *)request + text_keys[i].offset;
		const char *text = *(char *const *)at;

		if (text)
			rc = json_object_set_new(value, text_keys[i].key,
						 json_from_name(text));
	}
	return rc;
}

/* --- requests ------------------------------------------------------------ */

int request_add_path(struct request *request, const char *path,
		     struct error *err)
{
	char **more = realloc(request->paths,
			      (request->n_paths + 1) * sizeof(more[0]));

	if (more) {
		request->paths = more;
		more[request->n_paths] = strdup(path);
	}
	if (!more || !more[request->n_paths])
		return error_set(err, -ENOMEM, "no memory for the paths");
	request->n_paths++;
	return 0;
}

void request_release(struct request *request)
{
	for (size_t i = 0; i < request->n_paths; i++)
		free(request->paths[i]);
	free(request->paths);
	for (size_t i = 0; i < TEXTS; i++)
		free(*text_of(request, i));
	*request = (struct request){ .command = REQUEST_STATUS };
}

/* "a/b", never absolute, no ".", "..", or empty component. */
static bool path_is_clean(const char *path)
{
	const char *at = path;

	while (*at) {
		size_t len = strcspn(at, "/");

		if (len == 0 || (len == 1 && at[0] == '.') ||
		    (len == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		at += len;
		if (*at == '/' && !*++at)
			return false;
	}
	return true;
}

static int decode_paths(const json_t *paths, struct request *request,
			struct error *err)
{
	if (!paths)
		return 0;
	if (!json_is_array(paths) || json_array_size(paths) > REQUEST_PATHS_MAX)
		return error_set(err, -EPROTO,
				 "'paths' is no array of at most %d",
				 REQUEST_PATHS_MAX);
	for (size_t i = 0; i < json_array_size(paths); i++) {
		cleanup_free char *path = NULL;
		int rc = json_to_name(json_array_get(paths, i),
				      REQUEST_PATH_MAX, &path, err);

		if (rc == 0 && (!path || !path_is_clean(path)))
			rc = error_set(err, -EPROTO,
				       "'%.200s' is no path from the root",
				       path ? path : "");
		if (rc == 0)
			rc = request_add_path(request, path, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int decode_flag(const json_t *value, const char *key, bool *ret_flag,
		       struct error *err)
{
	const json_t *flag = json_object_get(value, key);

	if (flag && !json_is_boolean(flag))
		return error_set(err, -EPROTO, "'%s' is neither true nor false",
				 key);
	*ret_flag = json_is_true(flag);
	return 0;
}

static int decode_command(const json_t *value, struct request *request,
			  struct error *err)
{
	const char *name = json_string_value(json_object_get(value, "command"));

	if (!json_is_object(value))
		return error_set(err, -EPROTO, "the request is no object");
	if (json_integer_value(json_object_get(value, "schema")) !=
	    PROTOCOL_SCHEMA)
		return error_set(err, -EPROTO,
				 "the request's schema is not %d: sobre and "
				 "the daemon are of different versions",
				 PROTOCOL_SCHEMA);
	for (int i = 0; name && i < REQUEST_COMMANDS; i++) {
		if (strcmp(name, command_names[i]) != 0)
			continue;
		request->command = (enum request_command)i;
		return 0;
	}
	return error_set(err, -EPROTO, "unknown command in the request");
}

static int decode_grace(const json_t *value, struct request *request,
			struct error *err)
{
	const json_t *grace = json_object_get(value, "grace_s");

	if (grace && (!json_is_integer(grace) || json_integer_value(grace) < 0))
		return error_set(err, -EPROTO, "'grace_s' is no time");
	request->grace_s = json_integer_value(grace);
	if (request->command == REQUEST_GC && !grace)
		return error_set(err, -EPROTO, "'grace_s' is missing");
	return 0;
}

static int decode_number(const json_t *value, const char *key, int64_t min,
			 int64_t max, int64_t *ret_number, struct error *err)
{
	const json_t *number = json_object_get(value, key);
	json_int_t n = json_integer_value(number);

	if (!number)
		return 0;
	if (!json_is_integer(number) || n < min || n > max)
		return error_set(err, -EPROTO, "'%s' is out of range", key);
	*ret_number = n;
	return 0;
}

/* Years 1 to 9999. */
#define DAY_MIN	  (-719162)
#define DAY_MAX	  2932896
#define MONTH_MAX 119999

static int decode_numbers(const json_t *value, struct request *request,
			  struct error *err)
{
	int64_t month = 0;
	int64_t as_of = INT32_MIN;
	int64_t formats = 0;
	int64_t lang = 0;
	int64_t mask = -1;
	int64_t year = 0;
	int64_t charter = 0;
	int rc = decode_number(value, "month", 0, MONTH_MAX, &month, err);

	if (rc == 0)
		rc = decode_number(value, "as_of_day", DAY_MIN, DAY_MAX, &as_of,
				   err);
	if (rc == 0)
		rc = decode_number(value, "formats", 0, 255, &formats, err);
	if (rc == 0)
		rc = decode_number(value, "lang", 0, 1, &lang, err);
	if (rc == 0)
		rc = decode_number(value, "year", 1, 9999, &year, err);
	request->year = (int32_t)year;
	if (rc == 0)
		rc = decode_number(value, "umask", 0, 0777, &mask, err);
	if (rc == 0)
		rc = decode_number(value, "charter", 1, 9999, &charter, err);
	request->charter = (int32_t)charter;
	request->masked = mask >= 0;
	request->mask = mask >= 0 ? (unsigned int)mask : 0;
	request->month = (int32_t)month;
	request->as_of_day = (int32_t)as_of;
	request->formats = (unsigned int)formats;
	request->french = lang == 1;
	return rc;
}

static int check_complete(const struct request *r, struct error *err)
{
	bool paths = r->command == REQUEST_PACK ||
		     r->command == REQUEST_UNPACK ||
		     r->command == REQUEST_EXPLAIN || r->command == REQUEST_DU;

	if (paths && r->n_paths == 0)
		return error_set(err, -EPROTO, "the request has no path");
	if (r->policies && r->policies[0] != '/')
		return error_set(err, -EPROTO, "'policies' is not absolute");
	if (r->command == REQUEST_ACCEPT && !r->way)
		return error_set(err, -EPROTO, "'way' is missing");
	if (r->command == REQUEST_REPORT &&
	    (!r->out || r->out[0] != '/' || r->formats == 0 ||
	     (r->month != 0) + (r->year != 0) + (r->charter != 0) != 1))
		return error_set(err, -EPROTO,
				 "the report's request lacks "
				 "something");
	if (r->mail && (!r->apart || r->year))
		return error_set(err, -EPROTO,
				 "only a month's report, each department's "
				 "apart, can be sent");
	return 0;
}

int request_decode(const json_t *value, struct request *ret_request,
		   struct error *err)
{
	cleanup_request struct request r = { .command = REQUEST_STATUS };
	int rc = decode_command(value, &r, err);

	if (rc == 0)
		rc = decode_paths(json_object_get(value, "paths"), &r, err);
	if (rc == 0)
		rc = decode_flag(value, "now", &r.now, err);
	if (rc == 0)
		rc = decode_flag(value, "rebuild", &r.rebuild, err);
	if (rc == 0)
		rc = decode_flag(value, "apart", &r.apart, err);
	if (rc == 0)
		rc = decode_flag(value, "mail", &r.mail, err);
	if (rc == 0)
		rc = decode_flag(value, "again", &r.again, err);
	if (rc == 0)
		rc = decode_grace(value, &r, err);
	if (rc == 0)
		rc = decode_texts(value, &r, err);
	if (rc == 0)
		rc = decode_numbers(value, &r, err);
	if (rc == 0)
		rc = check_complete(&r, err);
	if (rc < 0)
		return rc;
	*ret_request = r;
	r = (struct request){ .command = REQUEST_STATUS };
	return 0;
}

static int parse_json(const void *data, size_t len, json_t **ret_value,
		      struct error *err)
{
	json_error_t at;
	json_t *value = json_loadb(data, len, JSON_REJECT_DUPLICATES, &at);

	if (!value)
		return error_set(err, -EPROTO, "not JSON: %s", at.text);
	*ret_value = value;
	return 0;
}

int request_parse(const void *data, size_t len, struct request *ret_request,
		  struct error *err)
{
	cleanup_json json_t *value = NULL;
	int rc = parse_json(data, len, &value, err);

	return rc < 0 ? rc : request_decode(value, ret_request, err);
}

/* Those that were said. */
static int encode_numbers(const struct request *request, json_t *value)
{
	const struct {
		const char *key;
		bool said;
		json_int_t number;
	} numbers[] = {
		{ "as_of_day", request->as_of_day != INT32_MIN,
		  request->as_of_day },
		{ "umask", request->masked, (json_int_t)request->mask },
		{ "year", request->year != 0, request->year },
		{ "charter", request->charter != 0, request->charter },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(numbers) / sizeof(numbers[0]);
	     i++)
		if (numbers[i].said)
			rc = json_object_set_new(
				value, numbers[i].key,
				json_integer(numbers[i].number));
	return rc;
}

static int encode_flags(const struct request *request, json_t *value)
{
	int rc = 0;

	if (request->apart)
		rc = json_object_set_new(value, "apart", json_true());
	if (rc == 0 && request->mail)
		rc = json_object_set_new(value, "mail", json_true());
	if (rc == 0 && request->again)
		rc = json_object_set_new(value, "again", json_true());
	return rc;
}

json_t *request_encode(const struct request *request)
{
	json_t *paths = json_array();
	json_t *value =
		json_pack("{s:i, s:s, s:b, s:b, s:I, s:o?, s:i, s:i, s:i}",
			  "schema", PROTOCOL_SCHEMA, "command",
			  request_command_name(request->command), "now",
			  request->now, "rebuild", request->rebuild, "grace_s",
			  (json_int_t)request->grace_s, "paths", paths, "month",
			  request->month, "formats", (int)request->formats,
			  "lang", request->french ? 1 : 0);
	int rc = value && paths ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < request->n_paths; i++)
		rc = json_array_append_new(paths,
					   json_from_name(request->paths[i]));
	if (rc == 0)
		rc = encode_numbers(request, value);
	if (rc == 0)
		rc = encode_flags(request, value);
	if (rc == 0)
		rc = encode_texts(request, value);
	if (rc < 0) {
		json_decref(value);
		return NULL;
	}
	return value;
}
