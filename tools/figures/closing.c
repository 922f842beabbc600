/* SPDX-License-Identifier: EUPL-1.2 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/cleanup.h"
#include "fs/base/io.h"
#include "tools/figures/internal.h"

#define DIRECTORY      "months"
#define NAME_BYTES     32
#define FILE_MAX_BYTES (16 << 20)

void closing_release(struct closing *closing)
{
	figures_month_release(&closing->month);
	json_decref(closing->root);
	*closing = (struct closing){ .version = 0 };
}

/* "2026-09.1.json" */
static void name_of(int32_t month, unsigned int version,
		    char ret_name[NAME_BYTES])
{
	(void)snprintf(ret_name, NAME_BYTES, "%04d-%02d.%u.json", month / 12,
		       month % 12 + 1, version);
}

/* -ENOENT: no month was ever closed. */
static int open_directory(int state_fd)
{
	int fd = openat(state_fd, DIRECTORY,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

static int read_file(int dir, const char *name, json_t **ret_root,
		     struct error *err)
{
	cleanup_fd int fd =
		openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	json_error_t at;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(err, -errno, "cannot read '%s': %s", name,
				 strerrordesc_np(errno));
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX_BYTES)
		return error_set(err, -SOBRE_ECORRUPT,
				 "'%s' is no closed month", name);
	*ret_root = json_loadfd(fd, JSON_REJECT_DUPLICATES, &at);
	if (!*ret_root)
		return error_set(err, -SOBRE_ECORRUPT, "'%s', line %d: %s",
				 name, at.line, at.text);
	return 0;
}

/* One that was told when it was closed is as it was written. */
static bool adds_up(const struct report_month *m)
{
	for (unsigned int i = 0; i < m->failed.n && i < REPORT_CHECKS; i++)
		if (!strcmp(m->failed.check[i].name, CHECK_MONTH))
			return true;
	return figures_balance(&m->energy);
}

static int load(int dir, int32_t month, unsigned int version,
		struct closing *ret_closing, struct error *err)
{
	struct closing closing;
	json_t *root = NULL;
	char name[NAME_BYTES];
	int rc;

	name_of(month, version, name);
	rc = read_file(dir, name, &root, err);
	if (rc < 0)
		return rc;
	if (!closing_in(root, &closing) || closing.month.month != month ||
	    closing.version != version || !adds_up(&closing.month)) {
		closing_release(&closing);
		return error_set(err, -SOBRE_ECORRUPT,
				 "'%s' is not as it was written", name);
	}
	*ret_closing = closing;
	return 0;
}

/* 0: none. */
static unsigned int highest(int dir, int32_t month)
{
	char name[NAME_BYTES];
	unsigned int version = 0;

	do
		name_of(month, ++version, name);
	while (version <= CLOSING_VERSIONS &&
	       faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	return version - 1;
}

int closing_load(int state_fd, int32_t month, struct closing *ret_closing,
		 struct error *err)
{
	cleanup_fd int dir = state_fd < 0 ? -ENOENT : open_directory(state_fd);
	unsigned int version;
	int rc;

	if (dir < 0)
		return dir == -ENOENT ? 0
				      : error_set(err, dir, "cannot open '%s'",
						  DIRECTORY);
	version = highest(dir, month);
	if (version == 0)
		return 0;
	rc = load(dir, month, version, ret_closing, err);
	return rc < 0 ? rc : 1;
}

static int digits(const char *text, unsigned int n)
{
	int v = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		v = 10 * v + text[i] - '0';
	}
	return v;
}

/* Of "2026-09.1.json"; -1: another file. */
static int32_t month_of(const char *name)
{
	const size_t len = strlen("YYYY-MM.");
	int year = digits(name, 4);
	int month = year < 0 || name[4] != '-' ? -1 : digits(name + 5, 2);
	size_t version;

	if (month < 1 || month > 12 || name[len - 1] != '.')
		return -1;
	version = strspn(name + len, "0123456789");
	return version > 0 && !strcmp(name + len + version, ".json")
		       ? 12 * year + month - 1
		       : -1;
}

/* -1: none. */
static int last_month(int dir, int32_t *ret_month)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int32_t last = -1;

	if (!list) {
		int rc = -errno;

		close_at(&fd);
		return rc;
	}
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while ((entry = readdir(list))) {
		int32_t month = month_of(entry->d_name);

		last = month > last ? month : last;
	}
	(void)closedir(list);
	*ret_month = last;
	return 0;
}

int closing_load_last(int state_fd, struct closing *ret_closing,
		      struct error *err)
{
	cleanup_fd int dir = state_fd < 0 ? -ENOENT : open_directory(state_fd);
	int32_t month = -1;
	int rc = dir < 0 ? dir : last_month(dir, &month);

	if (dir == -ENOENT)
		return 0;
	if (rc < 0)
		return error_set(err, rc, "cannot read '%s': %s", DIRECTORY,
				 strerrordesc_np(error_to_errno(rc)));
	return month < 0 ? 0 : closing_load(state_fd, month, ret_closing, err);
}

unsigned int closing_versions(int state_fd, int32_t month)
{
	cleanup_fd int dir = open_directory(state_fd);

	return dir < 0 ? 0 : highest(dir, month);
}

int closing_load_version(int state_fd, int32_t month, unsigned int version,
			 struct closing *ret_closing, struct error *err)
{
	cleanup_fd int dir = open_directory(state_fd);

	if (dir < 0)
		return error_set(err, dir, "cannot open '%s'", DIRECTORY);
	return load(dir, month, version, ret_closing, err);
}

static int make_directory(int state_fd)
{
	int rc = io_mkdirat(state_fd, DIRECTORY, 0700);

	if (rc == 0)
		rc = io_fsync(state_fd);
	return rc < 0 && rc != -EEXIST ? rc : open_directory(state_fd);
}

/* Whole under its name, or not at all. */
static int put_file(int dir, const char *name, const char *text)
{
	char temporary[NAME_BYTES + 8];
	cleanup_fd int fd = -1;
	int rc;

	(void)snprintf(temporary, sizeof(temporary), ".%s.new", name);
	rc = io_unlinkat(dir, temporary, 0); /* of one that died */
	if (rc < 0 && rc != -ENOENT)
		return rc;
	fd = io_openat_create(dir, temporary, O_WRONLY | O_EXCL, 0600);
	if (fd < 0)
		return fd;
	rc = io_pwrite(fd, text, strlen(text), 0);
	if (rc == 0)
		rc = io_fsync(fd);
	if (rc == 0)
		rc = io_renameat(dir, temporary, dir, name);
	if (rc < 0)
		(void)io_unlinkat(dir, temporary, 0);
	return rc < 0 ? rc : io_fsync(dir);
}

int closing_store(int state_fd, const struct closing *closing,
		  struct error *err)
{
	cleanup_free char *text = NULL;
	cleanup_fd int dir = -1;
	char name[NAME_BYTES];
	json_t *root = closing_out(closing);
	int rc = 0;

	if (root)
		text = json_dumps(root, JSON_INDENT(1));
	json_decref(root);
	if (!text)
		return error_set(err, -ENOMEM, "no memory to close the month");
	dir = make_directory(state_fd);
	if (dir < 0)
		return error_set(err, dir, "cannot make '%s': %s", DIRECTORY,
				 strerrordesc_np(error_to_errno(dir)));
	name_of(closing->month.month, closing->version, name);
	if (highest(dir, closing->month.month) >= closing->version)
		return error_set(err, -EEXIST, "'%s' is there already", name);
	rc = put_file(dir, name, text);
	return rc < 0 ? error_set(err, rc, "cannot write '%s': %s", name,
				  strerrordesc_np(error_to_errno(rc)))
		      : 0;
}
