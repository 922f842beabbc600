/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/setup.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/po/po.h"

#define GROUP_BYTES 65536

void setup_say(void *ctx, const char *text)
{
	(void)ctx;
	(void)fputs(text, stderr);
}

static void say_nothing(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

/* --- where things are ------------------------------------------------------
 */

void setup_paths_release(struct setup_paths *paths)
{
	free(paths->config);
	free(paths->policies);
	*paths = (struct setup_paths){ .config = NULL };
}

static int no_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "no memory for the configuration");
}

static char *etc_path(const char *name, const char *file)
{
	char *path = NULL;

	return asprintf(&path, ETC_DIR "/%s/%s", name, file) < 0 ? NULL : path;
}

/* Does /etc/sobre/<name>/drive.yaml say that this is its lower? A file that
 * is wrong says nothing here: using it by name tells what is wrong. */
static bool is_of(const char *name, const char *lower)
{
	cleanup_free char *path = etc_path(name, "drive.yaml");
	struct error ignored = ERROR_INIT;
	struct config config;
	bool same;

	if (!path ||
	    config_load(path, -1, &(struct yaml_messages){ .say = say_nothing },
			&config, &ignored) < 0)
		return false;
	same = config.lower && !strcmp(config.lower, lower);
	config_release(&config);
	return same;
}

/* The name under which the lower is configured; NULL and 0: it isn't. */
static int name_of(const char *lower, char **ret_name, struct error *err)
{
	cleanup_free char *found = NULL;
	struct dirent *entry;
	DIR *dir = opendir(ETC_DIR);
	int rc = 0;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of its own */
	while (dir && rc == 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !is_of(entry->d_name, lower))
			continue;
		if (found)
			rc = error_set(err, -EEXIST,
				       "'%s' and '%s' in %s both say they "
				       "are of '%s'",
				       found, entry->d_name, ETC_DIR, lower);
		else if (!(found = strdup(entry->d_name)))
			rc = no_memory(err);
	}
	if (dir)
		(void)closedir(dir);
	if (rc == 0)
		*ret_name = take_ptr(&found);
	return rc;
}

/* `given`, or the one of `name` if it exists. */
static int choose(const char *given, const char *name, const char *file,
		  char **ret_path, struct error *err)
{
	cleanup_free char *path = NULL;

	if (!given && !name)
		return 0;
	path = given ? strdup(given) : etc_path(name, file);
	if (!path)
		return no_memory(err);
	if (given || access(path, F_OK) == 0)
		*ret_path = take_ptr(&path);
	return 0;
}

int setup_paths_find(const char *config, const char *policies,
		     const char *lower, struct setup_paths *ret_paths,
		     struct error *err)
{
	cleanup_free char *name = NULL;
	struct setup_paths paths = { .config = NULL };
	int rc = 0;

	if (!config || !policies)
		rc = name_of(lower, &name, err);
	if (rc == 0)
		rc = choose(config, name, "drive.yaml", &paths.config, err);
	if (rc == 0)
		rc = choose(policies, name, "policies.d", &paths.policies, err);
	if (rc < 0) {
		setup_paths_release(&paths);
		return rc;
	}
	*ret_paths = paths;
	return 0;
}

int setup_lower_of(const char *name, char **ret_lower, struct error *err)
{
	cleanup_free char *path = NULL;
	struct config config;
	int rc;

	if (strchr(name, '/') || name[0] == '.' || name[0] == '\0')
		return 0;
	path = etc_path(name, "drive.yaml");
	if (!path)
		return no_memory(err);
	if (access(path, F_OK) < 0)
		return 0;
	rc = config_load(path, -1,
			 &(struct yaml_messages){ setup_say, NULL, po_text },
			 &config, err);
	if (rc < 0)
		return rc;
	if (!config.lower)
		rc = error_set(err, -ENOENT, "'%s' does not say: lower", path);
	else
		*ret_lower = take_ptr(&config.lower);
	config_release(&config);
	return rc < 0 ? rc : 1;
}

/* --- rules -----------------------------------------------------------------
 */

void rules_free(struct rules *rules)
{
	if (!rules)
		return;
	eval_free(rules->eval);
	policy_release(&rules->policy);
	free(rules);
}

static int department_ids(const struct config *config, char *other,
			  struct strings *ret_ids, struct error *err)
{
	ret_ids->item = calloc(config->departments + 1U, sizeof(char *));
	if (!ret_ids->item)
		return no_memory(err);
	for (unsigned int i = 0; i < config->departments; i++)
		ret_ids->item[ret_ids->n++] = config->department[i].id;
	ret_ids->item[ret_ids->n++] = other;
	return 0;
}

int rules_load(const char *dir_path, const struct config *config,
	       void (*say)(void *ctx, const char *text), void *ctx,
	       struct rules **ret_rules, struct error *err)
{
	CLEANUP(rules_free) struct rules *rules = calloc(1, sizeof(*rules));
	struct strings ids = { .item = NULL };
	char other[] = "other";
	int rc = rules ? 0 : no_memory(err);

	if (rc == 0 && config)
		rc = department_ids(config, other, &ids, err);
	if (rc == 0)
		rc = policy_load(dir_path, config ? &ids : NULL,
				 &(struct yaml_messages){ say, ctx, po_text },
				 &rules->policy, err);
	if (rc == 0)
		rc = eval_new(&rules->policy, &rules->eval, err);
	if (rc == 0)
		rc = eval_check_examples(rules->eval, say, ctx, err);
	free(ids.item);
	if (rc < 0)
		return rc;
	*ret_rules = take_ptr(&rules);
	return 0;
}

/* --- all of it ---------------------------------------------------------------
 */

void setup_free(struct setup *setup)
{
	if (!setup)
		return;
	for (unsigned int i = 0; i < setup->departments; i++)
		free(setup->gids[i]);
	free(setup->gids);
	free(setup->department);
	free(setup->name);
	setup_exclude_free(setup);
	rules_free(setup->rules);
	(void)pthread_mutex_destroy(&setup->lock);
	config_release(&setup->config);
	free(setup);
}

bool setup_find_group(const char *name, uint32_t *ret_gid)
{
	cleanup_free char *buf = malloc(GROUP_BYTES);
	struct group group;
	struct group *found = NULL;

	if (!buf || getgrnam_r(name, &group, buf, GROUP_BYTES, &found) != 0 ||
	    !found)
		return false;
	*ret_gid = found->gr_gid;
	return true;
}

static int find_groups(struct setup *setup,
		       const struct config_department *from,
		       struct ledger_department *to,
		       void (*say)(void *ctx, const char *text), void *ctx,
		       struct error *err)
{
	uint32_t *gids;
	size_t n = 0;

	while (from->groups && from->groups[n])
		n++;
	gids = calloc(n + 1, sizeof(*gids));
	if (!gids)
		return no_memory(err);
	setup->gids[setup->departments - 1] = gids;
	to->gids = gids;
	for (char **name = from->groups; name && *name; name++) {
		char text[512];

		if (setup_find_group(*name, &gids[to->n_gids])) {
			to->n_gids++;
			continue;
		}
		(void)snprintf(text, sizeof(text),
			       T("%s:%u: warning: there is no group '%s'\n"),
			       setup->config.file, from->line, *name);
		say(ctx, text);
	}
	return 0;
}

static int make_departments(struct setup *setup,
			    void (*say)(void *ctx, const char *text), void *ctx,
			    struct error *err)
{
	const struct config *config = &setup->config;
	int rc = 0;

	setup->department =
		calloc(config->departments + 1U, sizeof(*setup->department));
	setup->gids = calloc(config->departments + 1U, sizeof(*setup->gids));
	if (!setup->department || !setup->gids)
		return no_memory(err);
	for (unsigned int i = 0; rc == 0 && i < config->departments; i++) {
		const struct config_department *from = &config->department[i];
		struct ledger_department *to = &setup->department[i];

		to->id = from->id;
		to->name = from->name;
		to->paths = (const char *const *)from->paths;
		while (from->paths && from->paths[to->n_paths])
			to->n_paths++;
		setup->departments++;
		rc = find_groups(setup, from, to, say, ctx, err);
	}
	return rc;
}

static int put_coefs(struct setup *setup, struct error *err)
{
	const struct {
		enum coef_id id;
		const char *text;
	} given[] = {
		{ COEF_PRICE, setup->config.price_eur_kwh },
		{ COEF_CARBON, setup->config.carbon_g_kwh },
		{ COEF_PUE, setup->config.pue },
	};

	coef_set_default(&setup->coefs);
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		int rc = given[i].text
				 ? coef_set_put(&setup->coefs, given[i].id,
						given[i].text, err)
				 : 0;

		if (rc < 0)
			return error_prefix(err, "%s", setup->config.file);
	}
	for (unsigned int i = 0; i < COEFS; i++) {
		const char *text = setup->config.coefficient[i];
		int rc = text ? coef_set_put(&setup->coefs, (enum coef_id)i,
					     text, err)
			      : 0;

		if (rc < 0)
			return error_prefix(err, "%s", setup->config.file);
	}
	return 0;
}

static void put_targets(struct setup *setup)
{
	const struct config *config = &setup->config;

	for (unsigned int i = 0; i < REPORT_CHARTER_INDICATORS; i++) {
		const char *name = report_charter_name(i);

		setup->charter_target[i] = -1;
		for (unsigned int k = 0; k < config->charters; k++)
			if (!strcmp(config->charter[k].name, name))
				setup->charter_target[i] =
					config->charter[k].value;
	}
}

/* "x" of "/etc/sobre/x/drive.yaml". */
static int take_name(struct setup *setup, const char *config, struct error *err)
{
	const char *at = config;
	size_t len;

	if (!config || strncmp(config, ETC_DIR "/", sizeof(ETC_DIR)) != 0)
		return 0;
	at += sizeof(ETC_DIR);
	len = strcspn(at, "/");
	if (strcmp(at + len, "/drive.yaml") != 0)
		return 0;
	setup->name = strndup(at, len);
	return setup->name ? 0 : no_memory(err);
}

int setup_load(const struct setup_paths *paths, int root_fd,
	       void (*say)(void *ctx, const char *text), void *ctx,
	       struct setup **ret_setup, struct error *err)
{
	CLEANUP(setup_free) struct setup *setup = calloc(1, sizeof(*setup));
	int rc = 0;

	if (!setup)
		return no_memory(err);
	(void)pthread_mutex_init(&setup->lock, NULL);
	config_init(&setup->config);
	if (paths->config)
		rc = config_load(paths->config, root_fd,
				 &(struct yaml_messages){ say, ctx, po_text },
				 &setup->config, err);
	if (rc < 0)
		return rc;
	setup->configured = paths->config != NULL;
	rc = take_name(setup, paths->config, err);
	if (rc < 0)
		return rc;
	put_targets(setup);
	rc = put_coefs(setup, err);
	if (rc == 0)
		rc = make_departments(setup, say, ctx, err);
	if (rc == 0)
		rc = setup_exclude_make(setup, err);
	if (rc == 0 && paths->policies)
		rc = rules_load(paths->policies, setup_config(setup), say, ctx,
				&setup->rules, err);
	if (rc < 0)
		return rc;
	*ret_setup = take_ptr(&setup);
	return 0;
}

/* --- rules that change ---------------------------------------------------
 */

struct rules *setup_take_rules(struct setup *setup)
{
	struct rules *rules;

	(void)pthread_mutex_lock(&setup->lock);
	rules = setup->rules;
	if (rules)
		rules->users++;
	(void)pthread_mutex_unlock(&setup->lock);
	return rules;
}

void setup_give_rules(struct setup *setup, struct rules *rules)
{
	bool last;

	if (!rules)
		return;
	(void)pthread_mutex_lock(&setup->lock);
	last = --rules->users == 0 && setup->rules != rules;
	(void)pthread_mutex_unlock(&setup->lock);
	if (last)
		rules_free(rules);
}

void setup_put_rules(struct setup *setup, struct rules *rules)
{
	struct rules *old;
	bool last;

	(void)pthread_mutex_lock(&setup->lock);
	old = setup->rules;
	setup->rules = rules;
	last = old && old->users == 0;
	(void)pthread_mutex_unlock(&setup->lock);
	if (last)
		rules_free(old);
}

/* --- departments without a ledger --------------------------------------------
 */

static bool below(const char *path, const char *top)
{
	size_t len = strlen(top);

	if (len == 1) /* "/" */
		return true;
	return !strncmp(path, top, len) &&
	       (path[len] == '/' || path[len] == '\0');
}

unsigned int setup_department(const struct setup *setup, const char *path,
			      uint32_t gid)
{
	for (unsigned int d = 0; d < setup->departments; d++)
		for (unsigned int i = 0; i < setup->department[d].n_paths; i++)
			if (below(path, setup->department[d].paths[i]))
				return d;
	for (unsigned int d = 0; d < setup->departments; d++)
		for (unsigned int i = 0; i < setup->department[d].n_gids; i++)
			if (setup->department[d].gids[i] == gid)
				return d;
	return setup->departments;
}
