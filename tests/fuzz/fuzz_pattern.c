/* SPDX-License-Identifier: EUPL-1.2 */
/* A pattern, and a path on the next line: compiled both ways and matched. What
 * a walk into the path's directories says must agree. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/eval/eval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool agrees)
{
	if (!agrees)
		abort();
}

/* Of a rule with this one pattern, or an exception to all. */
static bool walked(const struct eval *eval, char *path)
{
	CLEANUP(eval_walk_free) struct eval_walk *walk = NULL;
	const struct facts facts = { .path = path };
	cleanup_free char *copy = strdup(path);
	struct error err = ERROR_INIT;
	char *name = copy + 1;
	char *slash = NULL;

	check(copy != NULL && eval_walk_new(eval, 0, &walk, &err) == 0);
	while ((slash = strchr(name, '/')) != NULL) {
		*slash = '\0';
		if (eval_walk_enter(walk, name, &err) != 1)
			return false;
		name = slash + 1;
	}
	return eval_walk_file(walk, &facts, NULL, 0) == 1;
}

static bool has_empty_part(const char *path)
{
	return strstr(path, "//") != NULL || path[strlen(path) - 1] == '/';
}

static void try(char *text, char *path, bool exact)
{
	CLEANUP(pattern_free) struct pattern *pattern = NULL;
	CLEANUP(eval_free) struct eval *eval = NULL;
	CLEANUP(eval_free) struct eval *excepting = NULL;
	struct rule rule = {
		.file = text,
		.paths = { &text, 1 },
		.case_exact = exact,
		.size_max_bytes = UINT64_MAX,
	};
	struct rule except = { .file = text,
			       .except = { &text, 1 },
			       .case_exact = exact,
			       .size_max_bytes = UINT64_MAX };
	const struct policy policy = { .rule = &rule, .n = 1 };
	const struct policy other = { .rule = &except, .n = 1 };
	struct error err = ERROR_INIT;
	bool matches = false;

	if (pattern_new(text, exact, &pattern, &err) < 0)
		return;
	matches = pattern_matches(pattern, path);
	check(eval_new(&policy, &eval, &err) == 0);
	check(eval_new(&other, &excepting, &err) == 0);
	if (*path != '/' || has_empty_part(path))
		return;
	check(walked(eval, path) == matches);
	check(walked(excepting, path) == !matches);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = calloc(1, size + 1);
	char *path = NULL;

	if (text == NULL || size > 8192)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	path = strchr(text, '\n');
	if (path == NULL)
		return 0;
	*path++ = '\0';
	try(text, path, false);
	try(text, path, true);
	return 0;
}
