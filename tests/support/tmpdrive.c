/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/support/tmpdrive.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs/file/internal.h"

static const char *base(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && *dir ? dir : "/var/tmp";
}

bool tmpdrive_possible(void)
{
	char path[256];
	int fd;
	bool ok;

	(void)snprintf(path, sizeof(path), "%s/sobre-try-XXXXXX", base());
	fd = mkstemp(path);
	if (fd < 0)
		return false;
	ok = fsetxattr(fd, FILE_STUB_XATTR, "x", 1, 0) == 0 &&
	     fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		       4096) == 0;
	(void)close(fd);
	(void)unlink(path);
	return ok;
}

static void open_drive(struct tmpdrive *t)
{
	struct drive_options options = { .min_age_s = 86400,
					 .clock = clock_real() };
	struct error err = ERROR_INIT;

	if (drive_open(t->lower_fd, NULL, &options, &t->drive, &err) < 0)
		fail_msg("drive_open: %s", err.text);
}

void tmpdrive_open(struct tmpdrive *t)
{
	(void)snprintf(t->path, sizeof(t->path), "%s/sobre-test-XXXXXX",
		       base());
	assert_non_null(mkdtemp(t->path));
	t->lower_fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(t->lower_fd >= 0);
	open_drive(t);
}

void tmpdrive_reopen(struct tmpdrive *t)
{
	drive_close(t->drive);
	t->drive = NULL;
	open_drive(t);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void tmpdrive_remove(struct tmpdrive *t)
{
	drive_close(t->drive);
	t->drive = NULL;
	(void)close(t->lower_fd);
	(void)nftw(t->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void tmpdrive_fill(uint8_t *buf, size_t len, uint32_t seed)
{
	uint32_t x = seed * 2654435761u + 1;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		buf[i] = (uint8_t)(x >> 11);
	}
}

void tmpdrive_write(struct tmpdrive *t, const char *name, size_t len,
		    uint32_t seed)
{
	uint8_t *buf = malloc(len + 1);
	int fd = openat(t->lower_fd, name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	assert_non_null(buf);
	assert_true(fd >= 0);
	tmpdrive_fill(buf, len, seed);
	assert_int_equal(write(fd, buf, len), (ssize_t)len);
	(void)close(fd);
	free(buf);
}

int tmpdrive_opath(struct tmpdrive *t, const char *name)
{
	int fd = openat(t->lower_fd, name, O_PATH | O_NOFOLLOW);

	assert_true(fd >= 0);
	return fd;
}

struct file *tmpdrive_file(struct tmpdrive *t, const char *name, int flags,
			   bool *ret_packed)
{
	int fd = tmpdrive_opath(t, name);
	struct error err = ERROR_INIT;
	struct file *file = NULL;
	struct stat st;
	struct lower_ref at;
	int64_t btime_ns;

	assert_int_equal(lower_stat(fd, &st, &btime_ns), 0);
	at = (struct lower_ref){ fd, st.st_ino, btime_ns, 0, NULL };
	if (file_open(t->drive, &at, flags, &file, ret_packed, &err) < 0)
		fail_msg("file_open: %s", err.text);
	(void)close(fd);
	return file;
}

bool tmpdrive_reads(struct tmpdrive *t, const char *name, size_t len,
		    uint32_t seed)
{
	uint8_t *want = malloc(len + 1);
	uint8_t *got = malloc(len + 1);
	struct error err = ERROR_INIT;
	bool packed;
	int opath = tmpdrive_opath(t, name);
	struct file *file = tmpdrive_file(t, name, O_RDONLY, &packed);
	ssize_t n = file_read(file, opath, got, len + 1, 0, &err);
	bool same;

	tmpdrive_fill(want, len, seed);
	same = n == (ssize_t)len && memcmp(want, got, len) == 0;
	(void)close(opath);
	file_close(file, O_RDONLY);
	free(want);
	free(got);
	return same;
}

enum pack_outcome tmpdrive_pack(struct tmpdrive *t, const char *name)
{
	const struct pack_options now = { .now = true };
	struct pack_report report = { 0 };
	struct error err = ERROR_INIT;

	if (drive_pack(t->drive, name, &now, &report, &err) < 0)
		fail_msg("drive_pack: %s", err.text);
	for (int i = 0; i < PACK_OUTCOMES; i++)
		if (report.count[i] > 0)
			return (enum pack_outcome)i;
	return PACK_OUTCOMES;
}

bool tmpdrive_is_stub(const struct tmpdrive *t, const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", t->path, name);
	return getxattr(path, FILE_STUB_XATTR, NULL, 0) == STUB_BYTES;
}
