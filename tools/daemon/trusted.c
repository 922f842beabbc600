/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/trusted.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/cleanup.h"

#define OTHERS_WRITE (S_IWGRP | S_IWOTH)

static int check(const char *path, bool directory, struct error *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return error_set(err, -errno, "cannot stat '%s': %s", path,
				 strerrordesc_np(errno));
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return error_set(err, -EPERM,
				 "'%s' says what to run, and belongs to "
				 "another user (%u)",
				 path, st.st_uid);
	if (st.st_mode & OTHERS_WRITE && !(directory && st.st_mode & S_ISVTX))
		return error_set(err, -EPERM,
				 "'%s' says what to run, and others may write "
				 "it (mode %04o): chmod go-w",
				 path, st.st_mode & 07777U);
	return 0;
}

static int check_directory(const char *path, struct error *err)
{
	cleanup_free char *dir = strdup(path);
	char *slash = dir ? strrchr(dir, '/') : NULL;

	if (!dir)
		return error_set(err, -ENOMEM, "no memory for a path");
	if (!slash)
		return check(".", true, err);
	slash[slash == dir] = '\0'; /* "/" stays */
	return check(dir, true, err);
}

/* Where a link lies counts as much as where it leads. */
int trusted_file(const char *path, struct error *err)
{
	cleanup_free char *real = realpath(path, NULL);

	if (!real)
		return error_set(err, -errno, "cannot find '%s': %s", path,
				 strerrordesc_np(errno));
	if (check(real, false, err) < 0 || check_directory(real, err) < 0)
		return err->code;
	return check_directory(path, err);
}
