/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * DESIGN §5.14: while the drive holds a stub its lower root is root:root 0700
 * without ACL, so that without the mount nobody reads a stub as zeros. The
 * real owner, mode and ACL are in an xattr of the root: docs/format/stub.md.
 */
#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs/base/buf.h"
#include "fs/base/io.h"
#include "fs/base/reader.h"
#include "fs/file/internal.h"

#define ROOT_VERSION 1
#define ROOT_HEAD    8 /* before what the checksum covers */
#define ROOT_MAX     4096
#define ACL_ACCESS   "system.posix_acl_access"
#define PERM_BITS    07777u

int root_record_encode(const struct root_record *record, uint8_t *buf,
		       size_t cap, size_t *ret_len)
{
	cleanup_buf struct buf b;
	uint32_t sum;

	buf_init(&b, cap);
	(void)buf_put_u8(&b, ROOT_VERSION);
	(void)buf_put_u8(&b, 0);
	(void)buf_put_u16(&b, 0);
	(void)buf_put_u32(&b, 0);
	(void)buf_put_u32(&b, record->mode);
	(void)buf_put_u32(&b, record->uid);
	(void)buf_put_u32(&b, record->gid);
	(void)buf_put_u32(&b, (uint32_t)record->acl_len);
	(void)buf_put(&b, record->acl, record->acl_len);
	if (buf_error(&b) < 0)
		return buf_error(&b);
	sum = hash32(b.data + ROOT_HEAD, b.len - ROOT_HEAD);
	for (size_t i = 0; i < 4; i++)
		b.data[4 + i] = (uint8_t)(sum >> (8 * i));
	memcpy(buf, b.data, b.len);
	*ret_len = b.len;
	return 0;
}

int root_record_decode(const void *bytes, size_t len,
		       struct root_record *ret_record, struct error *err)
{
	struct root_record rec = { 0 };
	struct reader r;
	uint8_t version;
	uint32_t sum;

	reader_init(&r, bytes, len);
	version = reader_u8(&r);
	(void)reader_u8(&r);
	(void)reader_u16(&r);
	sum = reader_u32(&r);
	if (!r.failed && version > ROOT_VERSION)
		return error_set(err, -SOBRE_ESCHEMA,
				 "'%s' was written by a newer sobre",
				 DRIVE_ROOT_XATTR);
	rec.mode = reader_u32(&r);
	rec.uid = reader_u32(&r);
	rec.gid = reader_u32(&r);
	rec.acl_len = reader_u32(&r);
	if (rec.acl_len <= sizeof(rec.acl))
		reader_copy(&r, rec.acl, rec.acl_len);
	if (rec.acl_len > sizeof(rec.acl) || !reader_done(&r) ||
	    version != ROOT_VERSION || rec.mode > PERM_BITS ||
	    sum != hash32((const uint8_t *)bytes + ROOT_HEAD, len - ROOT_HEAD))
		return error_set(err, -SOBRE_ECORRUPT,
				 "the root's '%s' is damaged",
				 DRIVE_ROOT_XATTR);
	*ret_record = rec;
	return 0;
}

static int write_record(struct drive *drive, const struct root_record *record)
{
	uint8_t bytes[ROOT_MAX];
	size_t len;
	int rc = root_record_encode(record, bytes, sizeof(bytes), &len);

	if (rc == 0)
		rc = io_fsetxattr(drive->lower_fd, DRIVE_ROOT_XATTR, bytes,
				  len);
	if (rc == 0)
		rc = io_fsync(drive->lower_fd);
	return rc;
}

static int read_record(struct drive *drive, struct root_record *ret,
		       struct error *err)
{
	uint8_t bytes[ROOT_MAX];
	ssize_t n = fgetxattr(drive->lower_fd, DRIVE_ROOT_XATTR, bytes,
			      sizeof(bytes));
	int rc;

	if (n < 0 && errno == ENODATA)
		return 0;
	if (n < 0)
		return error_set(err, -errno, "cannot read '%s'",
				 DRIVE_ROOT_XATTR);
	rc = root_record_decode(bytes, (size_t)n, ret, err);
	return rc < 0 ? rc : 1;
}

static int close_door(struct drive *drive)
{
	int fd = drive->lower_fd;
	int rc = io_fchown(fd, 0, 0);

	if (rc == 0)
		rc = io_fremovexattr(fd, ACL_ACCESS);
	if (rc == -ENODATA || rc == -EOPNOTSUPP)
		rc = 0;
	if (rc == 0)
		rc = io_fchmod(fd, 0700);
	if (rc == 0)
		rc = io_fsync(fd);
	return rc;
}

int root_load(struct drive *drive, struct error *err)
{
	struct stat st;
	int rc = read_record(drive, &drive->root, err);

	if (rc <= 0)
		return rc;
	drive->sealed = true;
	if (drive->options.readonly)
		return 0;
	if (fstat(drive->lower_fd, &st) < 0)
		return error_set(err, -errno, "cannot stat the root");
	if ((st.st_mode & PERM_BITS) == 0700 && st.st_uid == 0)
		return 0;
	rc = close_door(drive); /* a crash came between */
	return rc < 0 ? error_set(err, rc, "cannot close the lower root: %s",
				  error_words(rc))
		      : 0;
}

static int look_at_root(struct drive *drive, struct root_record *ret)
{
	struct stat st;
	ssize_t n;

	if (fstat(drive->lower_fd, &st) < 0)
		return -errno;
	*ret = (struct root_record){ .mode = st.st_mode & PERM_BITS,
				     .uid = st.st_uid,
				     .gid = st.st_gid };
	n = fgetxattr(drive->lower_fd, ACL_ACCESS, ret->acl, sizeof(ret->acl));
	if (n < 0 && errno != ENODATA && errno != EOPNOTSUPP)
		return -errno;
	ret->acl_len = n > 0 ? (size_t)n : 0;
	return 0;
}

int root_seal(struct drive *drive, struct error *err)
{
	int rc = 0;

	(void)pthread_mutex_lock(&drive->root_lock);
	if (!drive->sealed) {
		rc = look_at_root(drive, &drive->root);
		if (rc == 0)
			rc = write_record(drive, &drive->root);
		if (rc == 0) {
			drive->sealed = true;
			rc = close_door(drive);
		}
	}
	(void)pthread_mutex_unlock(&drive->root_lock);
	return rc < 0 ? error_set(err, rc, "cannot close the lower root: %s",
				  error_words(rc))
		      : 0;
}

/* Owner before mode: chown clears set-id bits. */
static int open_door(struct drive *drive)
{
	const struct root_record *r = &drive->root;
	int fd = drive->lower_fd;
	int rc = io_fchown(fd, r->uid, r->gid);

	if (rc == 0 && r->acl_len > 0)
		rc = io_fsetxattr(fd, ACL_ACCESS, r->acl, r->acl_len);
	if (rc == 0)
		rc = io_fchmod(fd, r->mode);
	if (rc == 0)
		rc = io_fsync(fd);
	if (rc == 0)
		rc = io_fremovexattr(fd, DRIVE_ROOT_XATTR);
	if (rc == -ENODATA) /* gone already, when the last try failed to sync */
		rc = 0;
	if (rc == 0)
		rc = io_fsync(fd);
	return rc;
}

int root_unseal(struct drive *drive, struct error *err)
{
	int rc = 0;

	(void)pthread_mutex_lock(&drive->root_lock);
	if (drive->sealed) {
		rc = open_door(drive);
		drive->sealed = rc < 0;
	}
	(void)pthread_mutex_unlock(&drive->root_lock);
	attr_moved(drive, drive->root_ino);
	return rc < 0 ? error_set(err, rc, "cannot open the lower root: %s",
				  error_words(rc))
		      : 0;
}

int drive_root_show(struct drive *drive, struct stat *st, struct error *err)
{
	(void)err;
	/* the state's directory is not to be seen; btrfs counts no links */
	if (drive->state_ino != 0 && st->st_nlink > 2)
		st->st_nlink--;
	(void)pthread_mutex_lock(&drive->root_lock);
	if (drive->sealed) {
		st->st_mode = (st->st_mode & ~PERM_BITS) | drive->root.mode;
		st->st_uid = drive->root.uid;
		st->st_gid = drive->root.gid;
	}
	(void)pthread_mutex_unlock(&drive->root_lock);
	return 0;
}

/* Calls for each entry of an ACL as the kernel stores it. */
static bool acl_is_sound(size_t len)
{
	return len >= sizeof(struct posix_acl_xattr_header) &&
	       (len - sizeof(struct posix_acl_xattr_header)) %
			       sizeof(struct posix_acl_xattr_entry) ==
		       0;
}

static struct posix_acl_xattr_entry *acl_entry(struct root_record *r,
					       uint16_t tag)
{
	struct posix_acl_xattr_entry *e = (void *)(r->acl + 4);
	size_t n = r->acl_len < 4 ? 0 : (r->acl_len - 4) / sizeof(*e);

	for (size_t i = 0; i < n; i++)
		if (e[i].e_tag == tag)
			return &e[i];
	return NULL;
}

static void set_perm(struct root_record *r, uint16_t tag, uint32_t perm)
{
	struct posix_acl_xattr_entry *e = acl_entry(r, tag);

	if (e)
		e->e_perm = (uint16_t)(perm & 7);
}

/* chmod(2) with an ACL changes owner, mask and other of it: acl(5). */
static void mode_to_acl(struct root_record *r)
{
	if (r->acl_len == 0)
		return;
	set_perm(r, ACL_USER_OBJ, r->mode >> 6);
	set_perm(r, acl_entry(r, ACL_MASK) ? ACL_MASK : ACL_GROUP_OBJ,
		 r->mode >> 3);
	set_perm(r, ACL_OTHER, r->mode);
}

static void acl_to_mode(struct root_record *r)
{
	const struct posix_acl_xattr_entry *u = acl_entry(r, ACL_USER_OBJ);
	const struct posix_acl_xattr_entry *g = acl_entry(r, ACL_MASK);
	const struct posix_acl_xattr_entry *o = acl_entry(r, ACL_OTHER);

	if (!g)
		g = acl_entry(r, ACL_GROUP_OBJ);
	if (u && g && o)
		r->mode = (r->mode & 07000u) | (uint32_t)(u->e_perm & 7) << 6 |
			  (uint32_t)(g->e_perm & 7) << 3 |
			  (uint32_t)(o->e_perm & 7);
}

static int change_lower(struct drive *drive, int64_t mode, int64_t uid,
			int64_t gid)
{
	int rc = 0;

	if (uid >= 0 || gid >= 0)
		rc = io_fchown(drive->lower_fd, (uid_t)uid, (gid_t)gid);
	if (rc == 0 && mode >= 0)
		rc = io_fchmod(drive->lower_fd, (mode_t)mode & PERM_BITS);
	return rc;
}

static int change_record(struct drive *drive, int64_t mode, int64_t uid,
			 int64_t gid)
{
	struct root_record r = drive->root;
	int rc;

	if (uid >= 0)
		r.uid = (uint32_t)uid;
	if (gid >= 0)
		r.gid = (uint32_t)gid;
	if (mode >= 0) {
		r.mode = (uint32_t)mode & PERM_BITS;
		mode_to_acl(&r);
	}
	rc = write_record(drive, &r);
	if (rc == 0)
		drive->root = r;
	return rc;
}

int drive_root_change(struct drive *drive, int64_t mode, int64_t uid,
		      int64_t gid, struct error *err)
{
	int rc;

	(void)pthread_mutex_lock(&drive->root_lock);
	rc = drive->sealed ? change_record(drive, mode, uid, gid)
			   : change_lower(drive, mode, uid, gid);
	(void)pthread_mutex_unlock(&drive->root_lock);
	return rc < 0 ? error_set(err, rc, "cannot change the root: %s",
				  error_words(rc))
		      : 0;
}

static ssize_t acl_from_record(const struct root_record *r, void *buf,
			       size_t len)
{
	if (r->acl_len == 0)
		return -ENODATA;
	if (len == 0)
		return (ssize_t)r->acl_len;
	if (len < r->acl_len)
		return -ERANGE;
	memcpy(buf, r->acl, r->acl_len);
	return (ssize_t)r->acl_len;
}

ssize_t drive_root_acl_get(struct drive *drive, const char *name, void *buf,
			   size_t len)
{
	ssize_t n;

	(void)pthread_mutex_lock(&drive->root_lock);
	if (drive->sealed) {
		n = acl_from_record(&drive->root, buf, len);
	} else {
		n = fgetxattr(drive->lower_fd, name, buf, len);
		n = n < 0 ? -errno : n;
	}
	(void)pthread_mutex_unlock(&drive->root_lock);
	return n;
}

static int acl_to_record(struct drive *drive, const void *value, size_t len)
{
	struct root_record r = drive->root;
	int rc;

	if (value && (!acl_is_sound(len) || len > sizeof(r.acl)))
		return value && len > sizeof(r.acl) ? -ENOSPC : -EINVAL;
	r.acl_len = value ? len : 0;
	if (value) {
		memcpy(r.acl, value, len);
		acl_to_mode(&r);
	}
	rc = write_record(drive, &r);
	if (rc == 0)
		drive->root = r;
	return rc;
}

int drive_root_acl_set(struct drive *drive, const char *name, const void *value,
		       size_t len, struct error *err)
{
	int rc;

	(void)pthread_mutex_lock(&drive->root_lock);
	if (drive->sealed)
		rc = acl_to_record(drive, value, len);
	else if (value)
		rc = io_fsetxattr(drive->lower_fd, name, value, len);
	else
		rc = io_fremovexattr(drive->lower_fd, name);
	(void)pthread_mutex_unlock(&drive->root_lock);
	return rc < 0 ? error_set(err, rc, "cannot change the root's ACL: %s",
				  error_words(rc))
		      : 0;
}
