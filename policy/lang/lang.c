/* SPDX-License-Identifier: EUPL-1.2 */
/* A directory of rule files, whole or not at all. */
#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/buf.h"
#include "policy/lang/internal.h"

#define FILES_MAX 256

struct names {
	char *name[FILES_MAX];
	unsigned int n;
};

static void names_release(struct names *names)
{
	for (unsigned int i = 0; i < names->n; i++)
		free(names->name[i]);
}

static bool ends_in(const char *name, const char *ending)
{
	size_t len = strlen(name);
	size_t end = strlen(ending);

	return name[0] != '.' && len > end && !strcmp(name + len - end, ending);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* --- which files ---------------------------------------------------------- */

static int add_name(struct names *names, const char *name, struct error *err)
{
	if (names->n == FILES_MAX)
		return error_set(err, -SOBRE_EPOLICY, "more than %d files",
				 FILES_MAX);
	names->name[names->n] = strdup(name);
	if (!names->name[names->n])
		return error_set(err, -ENOMEM, "no memory");
	names->n++;
	return 0;
}

/* Those to be read, and those that look as if they were meant to be. */
static int list(int dir_fd, struct names *yaml, struct names *yml,
		struct error *err)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!dir) {
		rc = -errno;
		if (fd >= 0)
			(void)close(fd);
		return error_set(err, rc, "cannot list it: %s",
				 error_words(rc));
	}
	errno = 0;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours */
	while (rc == 0 && (entry = readdir(dir))) {
		if (ends_in(entry->d_name, ".yaml"))
			rc = add_name(yaml, entry->d_name, err);
		else if (ends_in(entry->d_name, ".yml") && yml->n < FILES_MAX)
			rc = add_name(yml, entry->d_name, err);
		errno = 0;
	}
	if (rc == 0 && errno)
		rc = error_set(err, -errno, "cannot list it: %s",
			       error_words(-errno));
	(void)closedir(dir);
	qsort(yaml->name, yaml->n, sizeof(yaml->name[0]), by_name);
	qsort(yml->name, yml->n, sizeof(yml->name[0]), by_name);
	return rc;
}

/* --- the hash ------------------------------------------------------------- */

/* Each name and each body with its length, so that nothing moves from one to
 * the other unseen. */
static void hash_part(crypto_hash_sha256_state *hash, const char *part,
		      size_t len)
{
	uint8_t length[8];

	for (size_t i = 0; i < sizeof(length); i++)
		length[i] = (uint8_t)((uint64_t)len >> (8 * i));
	(void)crypto_hash_sha256_update(hash, length, sizeof(length));
	(void)crypto_hash_sha256_update(hash, (const uint8_t *)part, len);
}

/* --- all of them ---------------------------------------------------------- */

struct loading {
	struct reading reading;
	const char *dir_path;
	int dir_fd;
	struct yaml_diag diag;
	crypto_hash_sha256_state hash;
};

static void say_unread(struct loading *loading, const char *shown, int rc)
{
	if (rc == -ELOOP)
		yaml_say(&loading->diag, shown,
			 N_("a symbolic link is not read"));
	else if (rc == -EFBIG)
		yaml_say(&loading->diag, shown,
			 N_("the file is bigger than 1 MiB"));
	else if (rc == -EINVAL)
		yaml_say(&loading->diag, shown, N_("not a regular file"));
	else
		yaml_say(&loading->diag, shown, N_("cannot be read: %s"),
			 error_words(rc));
}

static int load_file(struct loading *loading, const char *name,
		     struct error *err)
{
	cleanup_free char *shown = NULL;
	cleanup_free char *data = NULL;
	struct error why = ERROR_INIT;
	size_t len;
	int rc;

	if (asprintf(&shown, "%s/%s", loading->dir_path, name) < 0) {
		shown = NULL;
		return error_set(err, -ENOMEM, "no memory");
	}
	rc = yaml_read(loading->dir_fd, name, false, &data, &len, &why);
	if (rc == -ENOMEM)
		return error_set(err, rc, "no memory");
	if (rc < 0) {
		say_unread(loading, shown, rc);
		return 0;
	}
	hash_part(&loading->hash, name, strlen(name));
	hash_part(&loading->hash, data, len);
	return file_take(&loading->reading, name, shown, data, len,
			 &loading->diag, err);
}

static void say_ignored(struct loading *loading, const char *name)
{
	cleanup_free char *shown = NULL;

	if (asprintf(&shown, "%s/%s", loading->dir_path, name) < 0) {
		shown = NULL;
		return;
	}
	yaml_note(&loading->diag, shown,
		  N_("not read: a file of rules ends in .yaml"));
}

static int load_all(struct loading *loading, struct error *err)
{
	struct names yaml = { .n = 0 };
	struct names yml = { .n = 0 };
	int rc = list(loading->dir_fd, &yaml, &yml, err);

	for (unsigned int i = 0; rc == 0 && i < yml.n; i++)
		say_ignored(loading, yml.name[i]);
	for (unsigned int i = 0; rc == 0 && i < yaml.n; i++)
		rc = load_file(loading, yaml.name[i], err);
	names_release(&yaml);
	names_release(&yml);
	yaml_diag_finish(&loading->diag);
	if (rc == 0 && yaml_diag_count(&loading->diag) > 0)
		rc = error_set(err, -SOBRE_EPOLICY, "they are wrong");
	return rc;
}

int policy_load(const char *dir_path, const struct strings *departments,
		const struct yaml_messages *messages, struct policy *ret_policy,
		struct error *err)
{
	struct policy policy = { .n = 0 };
	struct loading loading = {
		.reading = { .policy = &policy, .departments = departments },
		.dir_path = dir_path,
	};
	cleanup_fd int dir = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (dir < 0)
		return error_set(err, -errno, "cannot open '%s': %s", dir_path,
				 error_words(-errno));
	if (sodium_init() < 0 || crypto_hash_sha256_init(&loading.hash) < 0)
		return error_set(err, -EIO, "libsodium does not start");
	loading.dir_fd = dir;
	yaml_diag_init(&loading.diag, messages);
	rc = load_all(&loading, err);
	if (rc < 0) {
		policy_release(&policy);
		return error_prefix(err, "the rules in '%s'", dir_path);
	}
	(void)crypto_hash_sha256_final(&loading.hash, policy.sha256);
	*ret_policy = policy;
	return 0;
}

void policy_release(struct policy *policy)
{
	for (unsigned int i = 0; i < policy->n; i++)
		rule_release(&policy->rule[i]);
	free(policy->rule);
	*policy = (struct policy){ .n = 0 };
}
