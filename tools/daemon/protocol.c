/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/protocol.h"

#include <errno.h>
#include <string.h>

static const char *const command_names[REQUEST_COMMANDS] = {
	[REQUEST_STATUS] = "status", [REQUEST_EXPLAIN] = "explain",
	[REQUEST_PACK] = "pack",     [REQUEST_UNPACK] = "unpack",
	[REQUEST_FSCK] = "fsck",     [REQUEST_GC] = "gc",
	[REQUEST_SCRUB] = "scrub",   [REQUEST_ACCEPT] = "accept",
};

const char *request_command_name(enum request_command command)
{
	return command_names[command];
}

/* --- names --------------------------------------------------------------- */

json_t *json_from_name(const char *name)
{
	json_t *text = json_string(name); /* NULL when it isn't UTF-8 */
	json_t *bytes;

	if (text)
		return text;
	bytes = json_array();
	for (const char *at = name; bytes && *at; at++) {
		json_int_t byte = (unsigned char)*at;

		if (json_array_append_new(bytes, json_integer(byte)) < 0) {
			json_decref(bytes);
			return NULL;
		}
	}
	return bytes;
}

static int name_too_long(struct error *err, size_t max)
{
	return error_set(err, -EPROTO, "a name is longer than %zu bytes",
			 max - 1);
}

static int name_from_bytes(const json_t *array, size_t max, char **ret_name,
			   struct error *err)
{
	size_t n = json_array_size(array);
	cleanup_free char *name = NULL;

	if (n >= max)
		return name_too_long(err, max);
	name = calloc(n + 1, 1);
	if (!name)
		return error_set(err, -ENOMEM, "no memory for a name");
	for (size_t i = 0; i < n; i++) {
		const json_t *byte = json_array_get(array, i);
		json_int_t v = json_integer_value(byte);

		if (!json_is_integer(byte) || v < 1 || v > 255)
			return error_set(err, -EPROTO,
					 "a name has something that is no "
					 "byte");
		name[i] = (char)(unsigned char)v;
	}
	*ret_name = take_ptr(&name);
	return 0;
}

int json_to_name(const json_t *value, size_t max, char **ret_name,
		 struct error *err)
{
	const char *text = json_string_value(value);

	if (json_is_array(value))
		return name_from_bytes(value, max, ret_name, err);
	if (!text)
		return error_set(err, -EPROTO,
				 "a name is neither a string nor bytes");
	if (json_string_length(value) != strlen(text))
		return error_set(err, -EPROTO, "a name has a NUL in it");
	if (strlen(text) >= max)
		return name_too_long(err, max);
	*ret_name = strdup(text);
	if (!*ret_name)
		return error_set(err, -ENOMEM, "no memory for a name");
	return 0;
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
	free(request->way);
	request->paths = NULL;
	request->way = NULL;
	request->n_paths = 0;
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

static int decode_way(const json_t *value, struct request *request,
		      struct error *err)
{
	const json_t *way = json_object_get(value, "way");

	if (!way && request->command != REQUEST_ACCEPT)
		return 0;
	return json_to_name(way, (size_t)REQUEST_PATH_MAX * 2, &request->way,
			    err);
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
		rc = decode_grace(value, &r, err);
	if (rc == 0)
		rc = decode_way(value, &r, err);
	if (rc == 0 && r.n_paths == 0 &&
	    (r.command == REQUEST_PACK || r.command == REQUEST_UNPACK ||
	     r.command == REQUEST_EXPLAIN))
		rc = error_set(err, -EPROTO, "the request has no path");
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

json_t *request_encode(const struct request *request)
{
	json_t *paths = json_array();
	json_t *value = json_pack(
		"{s:i, s:s, s:b, s:b, s:I, s:o?}", "schema", PROTOCOL_SCHEMA,
		"command", request_command_name(request->command), "now",
		request->now, "rebuild", request->rebuild, "grace_s",
		(json_int_t)request->grace_s, "paths", paths);
	int rc = value && paths ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < request->n_paths; i++)
		rc = json_array_append_new(paths,
					   json_from_name(request->paths[i]));
	if (rc == 0 && request->way)
		rc = json_object_set_new(value, "way",
					 json_from_name(request->way));
	if (rc < 0) {
		json_decref(value);
		return NULL;
	}
	return value;
}
