/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs/base/io.h"
#include "fs/file/internal.h"

#define PROBE_NAME  "probe"
#define PROBE_BYTES 65536u
#define STATE_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int check_root(int lower_fd, struct stat *ret_st, struct error *err)
{
	if (fstat(lower_fd, ret_st) < 0)
		return error_set(err, -errno, "cannot stat the directory: %s",
				 error_words(-errno));
	if (!S_ISDIR(ret_st->st_mode))
		return error_set(err, -ENOTDIR, "not a directory");
	return 0;
}

/* Makes the state's directory, durably, and returns its fd. */
static int make_state(int dir, const char *name,
		      const struct drive_options *options, struct error *err)
{
	cleanup_fd int parent = -1;
	cleanup_fd int fd = -1;
	struct stat st;
	bool before;
	int rc;

	if (options->must_exist || options->readonly)
		return error_set(err, -ENOENT,
				 "not a drive of sobre: it has no '%s'", name);
	before = fstat(dir, &st) == 0; /* not with a path of its own */
	rc = io_mkdirat(dir, name, 0700);
	if (rc == 0) {
		fd = openat(dir, name, STATE_FLAGS);
		parent = fd < 0 ? -1 : openat(fd, "..", STATE_FLAGS);
		rc = parent < 0 ? -errno : 0;
	}
	if (rc == 0 && before) /* agents see the directory as it was */
		rc = io_futimens(parent, (const struct timespec[]){
						 st.st_atim, st.st_mtim });
	if (rc == 0)
		rc = io_fsync(parent);
	if (rc < 0)
		return error_set(err, rc, "cannot make '%s': %s", name,
				 error_words(rc));
	return take_fd(&fd);
}

/* Returns the directory's fd. */
static int open_state(int lower_fd, const char *state_path,
		      const struct drive_options *options, struct error *err)
{
	const char *name = state_path ? state_path : DRIVE_STATE_NAME;
	int dir = state_path ? AT_FDCWD : lower_fd;
	int fd = openat(dir, name, STATE_FLAGS);

	if (fd < 0 && errno == ENOENT)
		return make_state(dir, name, options, err);
	if (fd < 0)
		return error_set(err, -errno, "cannot open '%s': %s", name,
				 error_words(-errno));
	return fd;
}

/* What packing stands on, tried on a file of our own. */
static int try_features(int fd, struct error *err)
{
	static const char zeros[PROBE_BYTES];
	struct stat st;
	struct catalog_inode inode;
	int rc = io_fsetxattr(fd, FILE_STUB_XATTR, zeros, STUB_BYTES);

	if (rc < 0)
		return error_set(err, rc == -ENOTSUP ? -EOPNOTSUPP : rc,
				 "no trusted.* extended attributes here: %s",
				 error_words(rc));
	rc = io_pwrite(fd, zeros, sizeof(zeros), 0);
	if (rc < 0)
		return error_set(err, rc, "cannot write: %s", error_words(rc));
	if (fstat(fd, &st) < 0)
		return error_set(err, -errno, "cannot stat");
	rc = lower_punch(fd, &st);
	if (rc < 0)
		return error_set(err, rc, "holes can't be punched here: %s",
				 error_words(rc));
	if (lower_inode(fd, &inode) < 0 || inode.handle.len == 0)
		return error_set(err, -EOPNOTSUPP, "no file handles here");
	return 0;
}

static int check_features(int state_fd, struct error *err)
{
	cleanup_fd int fd =
		io_openat_create(state_fd, PROBE_NAME, O_RDWR | O_TRUNC, 0600);
	int rc;

	if (fd < 0)
		return error_set(err, fd, "cannot write in '%s': %s",
				 DRIVE_STATE_NAME, error_words(fd));
	rc = try_features(fd, err);
	(void)io_unlinkat(state_fd, PROBE_NAME, 0);
	return rc;
}

static bool is_there(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int load_or_create(int state_fd, const struct drive_options *options,
			  struct identity *ret_identity, struct error *err)
{
	int rc;

	if (is_there(state_fd, "drive"))
		return identity_load(state_fd, ret_identity, err);
	if (is_there(state_fd, "packs") || is_there(state_fd, "catalog.db"))
		return error_set(err, -SOBRE_ECORRUPT,
				 "'%s' has contents but no file 'drive'",
				 DRIVE_STATE_NAME);
	if (options->must_exist || options->readonly)
		return error_set(err, -ENOENT,
				 "not a drive of sobre: no '%s/drive'",
				 DRIVE_STATE_NAME);
	rc = check_features(state_fd, err);
	return rc < 0 ? rc : identity_create(state_fd, ret_identity, err);
}

/* A directory that can't be a drive is left as it was: what has contents
 * stays, rmdir(2) sees to that. */
static void leave_no_trace(int lower_fd)
{
	(void)io_unlinkat(lower_fd, DRIVE_STATE_NAME, AT_REMOVEDIR);
}

int drive_prepare(int lower_fd, const char *state_path,
		  const struct drive_options *options, uint8_t ret_uuid[16],
		  struct error *err)
{
	cleanup_fd int state = -1;
	struct identity id;
	struct stat st;
	int rc = check_root(lower_fd, &st, err);

	if (rc < 0)
		return rc;
	state = open_state(lower_fd, state_path, options, err);
	if (state < 0)
		return state;
	rc = load_or_create(state, options, &id, err);
	if (rc < 0 && !state_path && !options->readonly)
		leave_no_trace(lower_fd);
	if (rc < 0)
		return rc;
	memcpy(ret_uuid, id.uuid, sizeof(id.uuid));
	return 0;
}

static int take_lock(struct drive *drive, struct error *err)
{
	int how = drive->options.readonly ? LOCK_SH : LOCK_EX;

	drive->lock_fd = openat(drive->state_fd, "drive",
				O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (drive->lock_fd < 0)
		return error_set(err, -errno, "cannot open '%s/drive': %s",
				 DRIVE_STATE_NAME, error_words(-errno));
	if (flock(drive->lock_fd, how | LOCK_NB) < 0)
		return error_set(err, errno == EWOULDBLOCK ? -EBUSY : -errno,
				 "another sobre is serving this drive");
	return 0;
}

static int open_catalog(struct drive *drive, struct error *err)
{
	char link[PROC_FD_MAX];
	cleanup_free char *path = malloc(PATH_MAX);
	ssize_t n;

	if (!path)
		return error_set(err, -ENOMEM, "out of memory");
	/* by its path: SQLite opens by name, at any time */
	proc_fd_path(drive->state_fd, link);
	n = readlink(link, path, PATH_MAX - 1);
	if (n < 0 || path[0] != '/')
		return error_set(err, -EINVAL, "the state has no path");
	path[n] = '\0';
	return catalog_open(path,
			    drive->options.readonly ? CATALOG_READONLY
						    : CATALOG_CREATE,
			    &drive->options.clock, &drive->catalog, err);
}

static int open_store(struct drive *drive, struct error *err)
{
	struct store_options options = {
		.key = drive->identity.key,
		.pack_bytes = drive->options.pack_bytes,
		.readonly = drive->options.readonly,
		.rebuild = drive->options.rebuild,
		.clock = drive->options.clock,
	};
	cleanup_fd int packs = -1;
	int rc = 0;

	memcpy(options.uuid, drive->identity.uuid, sizeof(options.uuid));
	if (!drive->options.readonly && !is_there(drive->state_fd, "packs")) {
		rc = io_mkdirat(drive->state_fd, "packs", 0700);
		if (rc == 0)
			rc = io_fsync(drive->state_fd);
	}
	if (rc == 0) {
		packs = openat(drive->state_fd, "packs",
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = packs < 0 ? -errno : 0;
	}
	if (rc < 0)
		return error_set(err, rc, "cannot open '%s/packs': %s",
				 DRIVE_STATE_NAME, error_words(rc));
	return store_open(packs, drive->catalog, &options, &drive->store, err);
}

static bool is_btrfs(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) == 0 &&
	       (unsigned long)st.f_type == BTRFS_SUPER_MAGIC;
}

static int fill(struct drive *drive, int lower_fd, const char *state_path,
		struct error *err)
{
	struct stat st;
	struct stat state_st;
	int rc = check_root(lower_fd, &st, err);

	if (rc < 0)
		return rc;
	drive->dev = st.st_dev;
	drive->syncs_by_name = is_btrfs(lower_fd);
	drive->root_ino = st.st_ino;
	drive->lower_fd = fcntl(lower_fd, F_DUPFD_CLOEXEC, 0);
	if (drive->lower_fd < 0)
		return error_set(err, -errno, "too many open files");
	drive->state_fd =
		open_state(lower_fd, state_path, &drive->options, err);
	if (drive->state_fd < 0)
		return drive->state_fd;
	if (!state_path && fstat(drive->state_fd, &state_st) == 0)
		drive->state_ino = state_st.st_ino;
	rc = load_or_create(drive->state_fd, &drive->options, &drive->identity,
			    err);
	if (rc < 0 && !state_path && !drive->options.readonly)
		leave_no_trace(lower_fd);
	if (rc == 0)
		rc = take_lock(drive, err);
	if (rc == 0 && !drive->options.readonly)
		rc = check_features(drive->state_fd, err);
	if (rc == -ENOSPC) /* it had them when it was made; to make room one
			      has to be in */
		rc = 0;
	if (rc == 0)
		rc = root_load(drive, err);
	if (rc == 0)
		rc = open_catalog(drive, err);
	if (rc == 0)
		rc = open_store(drive, err);
	if (rc == 0 && !drive->options.readonly)
		rc = ledger_open(drive->catalog, drive->store,
				 drive->options.departments,
				 drive->options.n_departments,
				 &drive->options.clock, &drive->ledger, err);
	return rc;
}

int drive_open(int lower_fd, const char *state_path,
	       const struct drive_options *options, struct drive **ret_drive,
	       struct error *err)
{
	CLEANUP(drive_close) struct drive *drive = calloc(1, sizeof(*drive));
	int rc;

	if (!drive)
		return error_set(err, -ENOMEM, "out of memory");
	drive->options = *options;
	drive->lower_fd = drive->state_fd = drive->lock_fd = -1;
	(void)pthread_mutex_init(&drive->table_lock, NULL);
	(void)pthread_mutex_init(&drive->root_lock, NULL);
	(void)pthread_mutex_init(&drive->scan_lock, NULL);
	(void)pthread_rwlock_init(&drive->watch_lock, NULL);
	/* a broken lease sends it, and its default action kills */
	(void)signal(SIGIO, SIG_IGN);
	rc = fill(drive, lower_fd, state_path, err);
	if (rc < 0)
		return rc;
	drive->was_unclean = catalog_was_unclean(drive->catalog);
	*ret_drive = take_ptr(&drive);
	return 0;
}

void drive_close(struct drive *drive)
{
	if (!drive)
		return;
	ledger_close(drive->ledger);
	store_close(drive->store);
	catalog_close(drive->catalog);
	close_at(&drive->lock_fd);
	close_at(&drive->state_fd);
	close_at(&drive->lower_fd);
	(void)pthread_mutex_destroy(&drive->table_lock);
	(void)pthread_mutex_destroy(&drive->root_lock);
	(void)pthread_mutex_destroy(&drive->scan_lock);
	(void)pthread_rwlock_destroy(&drive->watch_lock);
	free(drive);
}

struct catalog *drive_catalog(struct drive *drive)
{
	return drive->catalog;
}

struct store *drive_store(struct drive *drive)
{
	return drive->store;
}

const struct clock *drive_clock(const struct drive *drive)
{
	return &drive->options.clock;
}

struct ledger *drive_ledger(struct drive *drive)
{
	return drive->ledger;
}

bool drive_syncs_by_name(const struct drive *drive)
{
	return drive->syncs_by_name;
}

int drive_state_fd(const struct drive *drive)
{
	return drive->state_fd;
}

int drive_lower_fd(const struct drive *drive)
{
	return drive->lower_fd;
}

const uint8_t *drive_uuid(const struct drive *drive)
{
	return drive->identity.uuid;
}

bool drive_state_is_inside(const struct drive *drive)
{
	return drive->state_ino != 0;
}
