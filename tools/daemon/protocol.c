/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/protocol.h"

#include <errno.h>
#include <string.h>

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
