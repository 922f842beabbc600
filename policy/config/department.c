/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * departments: whose what is. The first that fits has a file, so one that
 * could never have any is a mistake, and said.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "policy/config/internal.h"

#define CONFIG_DEPARTMENTS_MAX 1024 /* told apart by people, after all */

/* --- does it exist? ------------------------------------------------------- */

static int open_below(int root_fd, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, root_fd, *path ? path : ".", &how,
			  sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* The directory's entry that is nearest to `name`; "" when none is. */
static void nearest_entry(int dir_fd, const char *name,
			  char ret_entry[NAME_MAX + 1])
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	unsigned int nearest = UINT_MAX;
	struct dirent *entry;

	ret_entry[0] = '\0';
	if (!dir) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours */
	while ((entry = readdir(dir))) {
		unsigned int distance = yaml_distance(name, entry->d_name);

		if (entry->d_name[0] == '.' || distance >= nearest)
			continue;
		nearest = distance;
		(void)snprintf(ret_entry, NAME_MAX + 1, "%s", entry->d_name);
	}
	(void)closedir(dir);
}

/* Of a path that isn't there: what stands beside its first missing part. */
static void hint_beside(struct yaml_doc *doc, int root_fd, const char *path)
{
	cleanup_free char *copy = strdup(path);
	char entry[NAME_MAX + 1];

	for (char *at = copy; at && *at;) {
		char *end = strchrnul(at, '/');
		char stop = *end;
		cleanup_fd int dir = -1;
		int fd;

		*end = '\0';
		fd = open_below(root_fd, copy);
		if (fd >= 0) {
			(void)close(fd);
			*end = stop;
			at = stop ? end + 1 : end;
			continue;
		}
		if (at > copy)
			at[-1] = '\0';
		dir = open_below(root_fd, at > copy ? copy : ".");
		if (dir < 0)
			return;
		nearest_entry(dir, at, entry);
		if (entry[0])
			yaml_hint(doc, N_("did you mean '%s'?"), entry);
		return;
	}
}

static void check_exists(struct yaml_doc *doc, const struct yaml_node *node,
			 int root_fd, const char *path)
{
	int fd = open_below(root_fd, path + 1);

	if (fd >= 0) {
		(void)close(fd);
	} else if (fd == -ENOENT) {
		hint_beside(doc, root_fd, path + 1);
		yaml_report(doc, node, N_("'%s' is not on the drive"), path);
	} else if (fd == -ENOTDIR) {
		yaml_report(doc, node, N_("'%s' is not a directory"), path);
	} else if (fd == -ELOOP) {
		yaml_report(doc, node, N_("'%s' leads through a symbolic link"),
			    path);
	} else {
		yaml_report(doc, node, N_("cannot look at '%s': %s"), path,
			    error_words(fd));
	}
}

/* --- one path ------------------------------------------------------------- */

static bool has_component(const char *path, const char *component)
{
	size_t len = strlen(component);

	for (const char *at = path; (at = strchr(at, '/'));) {
		at++;
		if (strcspn(at, "/") == len && !strncmp(at, component, len))
			return true;
	}
	return false;
}

/* Without a pattern's tail: "/RH" of "/RH/", and of a pattern below it. */
static void hint_plain(struct yaml_doc *doc, const char *path)
{
	size_t all = strlen(path);
	size_t len = all;
	cleanup_free char *copy = strdup(path);

	while (copy && len > 1 && strchr("*/", copy[len - 1]))
		copy[--len] = '\0';
	if (copy && len > 1 && len < all && !strpbrk(copy, "*?"))
		yaml_hint(doc, N_("did you mean '%s'?"), copy);
}

static bool is_plain(struct yaml_doc *doc, const struct yaml_node *node,
		     const char *path)
{
	if (path[0] != '/') {
		yaml_report(doc, node,
			    N_("'%s' does not start with '/', the drive's "
			       "root"),
			    path);
	} else if (!path[1]) {
		yaml_report(doc, node,
			    N_("the root is no department's: what no "
			       "department has is 'other'"));
	} else if (strpbrk(path, "*?")) {
		hint_plain(doc, path);
		yaml_report(doc, node,
			    N_("a department has directories, not patterns"));
	} else if (has_component(path, "") || has_component(path, ".") ||
		   has_component(path, "..")) {
		hint_plain(doc, path);
		yaml_report(doc, node,
			    N_("'%s' has a part that is empty, '.' or '..'"),
			    path);
	} else if (has_component(path, ".sobre")) {
		yaml_report(doc, node, N_("'%s' is the drive's own"), path);
	} else {
		return true;
	}
	return false;
}

/* --- what others have ----------------------------------------------------- */

static bool lies_in(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && path[len] == '/';
}

static const char *id_of(const struct reading *reading, unsigned int department)
{
	const char *id = reading->config->department[department].id;

	return id ? id : "?";
}

/* Is it another's, or inside another's that comes first? Says so. */
static bool is_taken(struct yaml_doc *doc, const struct reading *reading,
		     const struct claim *claim)
{
	for (unsigned int i = 0; i < reading->claims; i++) {
		const struct claim *first = &reading->claim[i];
		const char *owner = id_of(reading, first->department);

		if (first->group != claim->group)
			continue;
		if (!strcmp(first->text, claim->text)) {
			yaml_report(doc, claim->node,
				    N_("'%s' is already of '%s', in line %u"),
				    claim->text, owner, first->node->line);
			return true;
		}
		if (claim->group || first->department == claim->department ||
		    !lies_in(claim->text, first->text))
			continue;
		yaml_hint(doc, N_("put '%s' before '%s'"),
			  id_of(reading, claim->department), owner);
		yaml_report(doc, claim->node,
			    N_("'%s' lies in '%s' of '%s', which comes first "
			       "and has all of it"),
			    claim->text, first->text, owner);
		return true;
	}
	return false;
}

static bool add_claim(struct yaml_doc *doc, struct reading *reading,
		      const struct claim *claim)
{
	if (is_taken(doc, reading, claim))
		return false;
	if (!reading->claim)
		reading->claim = calloc(CLAIMS_MAX, sizeof(*claim));
	if (!reading->claim) {
		yaml_no_memory(doc);
		return false;
	}
	if (reading->claims == CLAIMS_MAX) {
		yaml_report(doc, claim->node,
			    N_("more than %u paths and groups"), CLAIMS_MAX);
		return false;
	}
	reading->claim[reading->claims++] = *claim;
	return true;
}

/* --- one department ------------------------------------------------------- */

struct taking {
	struct reading *reading;
	struct config_department *department;
	const struct yaml_node *paths, *groups;
	struct texts texts;
};

static bool take_path(struct yaml_doc *doc, const struct yaml_node *node,
		      const char *text, void *into)
{
	struct taking *taking = into;
	struct reading *reading = taking->reading;
	struct claim claim = { text, node, reading->config->departments,
			       false };

	if (!is_plain(doc, node, text) || !add_claim(doc, reading, &claim))
		return false;
	if (reading->root_fd >= 0)
		check_exists(doc, node, reading->root_fd, text);
	return texts_add(doc, node, text, &taking->texts);
}

/* Looked at once the id is known: messages tell it. */
static void take_paths(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	(void)doc;
	((struct taking *)into)->paths = node;
}

static void take_groups(struct yaml_doc *doc, const struct yaml_node *node,
			void *into)
{
	(void)doc;
	((struct taking *)into)->groups = node;
}

static void claim_groups(struct yaml_doc *doc, struct taking *taking)
{
	const struct yaml_node *node = taking->groups;
	const struct yaml_node *at =
		node->kind == YAML_LIST ? node->first : node;

	groups_take(doc, node, &taking->department->groups);
	for (; at; at = node->kind == YAML_LIST ? at->next : NULL) {
		struct claim claim = { at->text, at,
				       taking->reading->config->departments,
				       true };

		if (at->kind == YAML_SCALAR && *at->text)
			(void)add_claim(doc, taking->reading, &claim);
	}
}

static void claim_all(struct yaml_doc *doc, struct taking *taking)
{
	if (taking->paths) {
		taking->texts =
			(struct texts){ .list = &taking->department->paths };
		(void)yaml_each(doc, taking->paths, take_path, taking);
	}
	if (taking->groups)
		claim_groups(doc, taking);
}

static void take_id(struct yaml_doc *doc, const struct yaml_node *node,
		    void *into)
{
	struct taking *taking = into;
	const struct config *config = taking->reading->config;
	char **id = &taking->department->id;

	taking->department->line = node->line;
	if (!yaml_id(doc, node, id))
		return;
	if (!strcmp(*id, "other"))
		yaml_report(doc, node, N_("'other' is what no department has"));
	for (unsigned int i = 0; i < config->departments; i++) {
		const struct config_department *first = &config->department[i];

		if (!first->id || strcmp(first->id, *id) != 0)
			continue;
		yaml_report(doc, node,
			    N_("'%s' is the id of two departments; the first "
			       "in line %u"),
			    *id, first->line);
	}
}

static void take_name(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	(void)yaml_copy(doc, node, &((struct taking *)into)->department->name);
}

static void take_entity(struct yaml_doc *doc, const struct yaml_node *node,
			void *into)
{
	(void)yaml_copy(doc, node,
			&((struct taking *)into)->department->entity);
}

static void take_department_mail(struct yaml_doc *doc,
				 const struct yaml_node *node, void *into)
{
	addresses_take(doc, node, &((struct taking *)into)->department->mail);
}

static void check_whole(struct yaml_doc *doc, const struct yaml_node *node)
{
	if (node->cut)
		return;
	if (!yaml_get(node, "id"))
		yaml_report(doc, node, N_("a department without '%s'"), "id");
	if (!yaml_get(node, "paths") && !yaml_get(node, "groups"))
		yaml_report(doc, node,
			    N_("a department with neither 'paths' nor "
			       "'groups' has nothing"));
}

static void read_department(struct yaml_doc *doc, const struct yaml_node *node,
			    struct reading *reading)
{
	static const struct yaml_key keys[] = {
		{ "id", take_id },
		{ "name", take_name },
		{ "entity", take_entity },
		{ "paths", take_paths },
		{ "groups", take_groups },
		{ "mail", take_department_mail },
		{ NULL, NULL },
	};
	static const struct yaml_word words[] = {
		{ "courriel", "mail" },	 { "nom", "name" },
		{ "label", "name" },	 { "entite", "entity" },
		{ "chemins", "paths" },	 { "path", "paths" },
		{ "dossiers", "paths" }, { "groupes", "groups" },
		{ NULL, NULL },
	};
	static const struct yaml_schema schema = { keys, words };
	struct config *config = reading->config;
	struct config_department *department =
		&config->department[config->departments];
	struct taking taking = { .reading = reading, .department = department };

	department->line = node->line;
	if (yaml_map(doc, node, &schema, &taking))
		check_whole(doc, node);
	claim_all(doc, &taking);
	if (!department->name && department->id) {
		department->name = strdup(department->id);
		if (!department->name)
			yaml_no_memory(doc);
	}
	config->departments++;
}

void take_departments(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	struct reading *reading = into;
	struct config *config = reading->config;

	if (!yaml_list(doc, node))
		return;
	if (node->n > CONFIG_DEPARTMENTS_MAX) {
		yaml_report(doc, node, N_("more than %u departments"),
			    CONFIG_DEPARTMENTS_MAX);
		return;
	}
	config->department = calloc(node->n + 1U, sizeof(*config->department));
	if (!config->department) {
		yaml_no_memory(doc);
		return;
	}
	for (const struct yaml_node *at = node->first; at; at = at->next)
		read_department(doc, at, reading);
}
