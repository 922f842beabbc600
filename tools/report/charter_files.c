/* SPDX-License-Identifier: EUPL-1.2 */
/* What the year's reports weigh, measured: those that lie in the folder. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/report/charter.h"

static bool ends_in(const char *name, const char *ending)
{
	size_t n = strlen(name);
	size_t m = strlen(ending);

	return n > m && strcmp(name + n - m, ending) == 0;
}

static void add_file(int dir, const char *name, struct charter_files *files)
{
	bool page = ends_in(name, ".html");
	struct stat st;

	if (name[0] == '.' ||
	    !(page || ends_in(name, ".csv") || ends_in(name, ".json")) ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return;
	if (!page) {
		files->exports++;
		return;
	}
	if (ends_in(name, "-annex.html") || !strcmp(name, "departments.html"))
		return;
	files->pages++;
	if ((uint64_t)st.st_size > files->heaviest_bytes)
		files->heaviest_bytes = (uint64_t)st.st_size;
}

/* One that isn't there has none. */
static int add_month(int folder, const char *name, struct charter_files *files,
		     struct error *err)
{
	int fd = openat(folder, name,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	const struct dirent *entry;
	DIR *dir;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int rc = -errno;

		if (fd >= 0)
			(void)close(fd);
		return error_set(err, rc, "cannot read '%s': %s", name,
				 error_words(rc));
	}
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while ((entry = readdir(dir)) != NULL)
		add_file(fd, entry->d_name, files);
	(void)closedir(dir);
	return 0;
}

int charter_files(const struct folder *folder, int32_t year,
		  struct charter_files *ret_files, struct error *err)
{
	struct charter_files files = { .pages = 0 };
	int rc = 0;

	for (int32_t m = 12 * year; rc == 0 && m < 12 * (year + 1); m++) {
		struct num name = date_month_iso(m);

		rc = add_month(folder->fd, name.s, &files, err);
	}
	if (rc == 0)
		*ret_files = files;
	return rc;
}
