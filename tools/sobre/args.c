/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <string.h>

#include "tools/sobre/internal.h"

static const struct arg_option *find(const struct arg_option *options, size_t n,
				     const char *arg, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(options[i].name) == len &&
		    !strncmp(options[i].name, arg, len))
			return &options[i];
	return NULL;
}

/* One option. Returns how many arguments it took. */
static int parse_option(char **argv, const struct arg_option *options, size_t n,
			struct error *err)
{
	const char *arg = argv[0];
	size_t len = strcspn(arg, "=");
	const char *value = arg[len] ? arg + len + 1 : NULL;
	const struct arg_option *o = find(options, n, arg, len);

	if (!o)
		return error_set(err, -EINVAL, "unknown option '%s'", arg);
	if (o->flag && value)
		return error_set(err, -EINVAL, "'%s' takes no value", o->name);
	if (o->flag) {
		*o->flag = true;
		return 1;
	}
	/* "--as-of --csv": the value was forgotten. */
	if (!value && (!argv[1] || !strncmp(argv[1], "--", 2)))
		return error_set(err, -EINVAL, "'%s' needs a value", o->name);
	*o->value = value ? value : argv[1];
	return value ? 1 : 2;
}

int args_parse(char **argv, const struct arg_option *options, size_t n,
	       struct error *err)
{
	char **operand = argv;
	bool ended = false;

	for (char **at = argv; *at;) {
		int taken = 1;

		if (ended || (*at)[0] != '-' || !(*at)[1])
			*operand++ = *at;
		else if (!strcmp(*at, "--"))
			ended = true;
		else
			taken = parse_option(at, options, n, err);
		if (taken < 0)
			return taken;
		at += taken;
	}
	return (int)(operand - argv);
}
