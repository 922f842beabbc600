/* SPDX-License-Identifier: EUPL-1.2 */
/* The file `drive`: docs/format/drive.md. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "fs/base/buf.h"
#include "fs/base/io.h"
#include "fs/file/internal.h"

#define IDENTITY_NAME	 "drive"
#define IDENTITY_TMP	 "drive.new"
#define IDENTITY_VERSION 1
#define IDENTITY_MAX	 4096
#define IDENTITY_HEAD	 "sobrefs drive\n"

static void put_hex(struct buf *b, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)buf_printf(b, "%02x", bytes[i]);
}

static int encode(const struct identity *id, struct buf *b)
{
	(void)buf_put_str(b, IDENTITY_HEAD);
	(void)buf_printf(b, "version %d\nuuid ", IDENTITY_VERSION);
	put_hex(b, id->uuid, sizeof(id->uuid));
	(void)buf_put_str(b, "\nsecret ");
	put_hex(b, id->key.secret, sizeof(id->key.secret));
	(void)buf_put_str(b, "\nxattr trusted\n");
	if (buf_error(b) == 0)
		(void)buf_printf(b, "check %08x\n", hash32(b->data, b->len));
	return buf_error(b);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `text` must be `key` and 2n hex digits and a newline; moves past it. */
static bool take_hex(const char **text, const char *key, uint8_t *out, size_t n)
{
	const char *at = *text;

	if (strncmp(at, key, strlen(key)) != 0)
		return false;
	at += strlen(key);
	for (size_t i = 0; i < n; i++, at += 2) {
		int hi = hex_digit(at[0]);
		int lo = hi < 0 ? -1 : hex_digit(at[1]);

		if (lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	if (*at != '\n')
		return false;
	*text = at + 1;
	return true;
}

static bool take(const char **text, const char *literal)
{
	if (strncmp(*text, literal, strlen(literal)) != 0)
		return false;
	*text += strlen(literal);
	return true;
}

static bool is_newer(const char *at)
{
	static const char key[] = "version ";

	return strncmp(at, key, strlen(key)) == 0 &&
	       strncmp(at + strlen(key), "1\n", 2) != 0 &&
	       hex_digit(at[strlen(key)]) >= 0;
}

/* `text` ends with a NUL. */
static bool decode(const char *text, struct identity *id)
{
	const char *at = text;
	uint8_t sum[4];
	size_t covered;

	if (!take(&at, IDENTITY_HEAD) || !take(&at, "version 1\n") ||
	    !take_hex(&at, "uuid ", id->uuid, sizeof(id->uuid)) ||
	    !take_hex(&at, "secret ", id->key.secret, sizeof(id->key.secret)) ||
	    !take(&at, "xattr trusted\n"))
		return false;
	covered = (size_t)(at - text);
	if (!take_hex(&at, "check ", sum, sizeof(sum)) || *at != '\0')
		return false;
	return ((uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 |
		(uint32_t)sum[2] << 8 | sum[3]) == hash32(text, covered);
}

int identity_decode(const char *text, size_t len, struct identity *ret_identity,
		    struct error *err)
{
	cleanup_free char *copy = strndup(text, len);
	struct identity id;

	if (!copy)
		return error_set(err, -ENOMEM, "out of memory");
	if (strncmp(copy, IDENTITY_HEAD, strlen(IDENTITY_HEAD)) == 0 &&
	    is_newer(copy + strlen(IDENTITY_HEAD)))
		return error_set(err, -SOBRE_ESCHEMA,
				 "'%s/%s' was written by a newer sobre",
				 DRIVE_STATE_NAME, IDENTITY_NAME);
	if (strlen(copy) != len || !decode(copy, &id))
		return error_set(err, -SOBRE_ECORRUPT, "'%s/%s' is damaged",
				 DRIVE_STATE_NAME, IDENTITY_NAME);
	*ret_identity = id;
	return 0;
}

int identity_load(int state_fd, struct identity *ret_identity,
		  struct error *err)
{
	cleanup_fd int fd = openat(state_fd, IDENTITY_NAME,
				   O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[IDENTITY_MAX];
	ssize_t n;

	if (fd < 0)
		return error_set(err, -errno, "cannot open '%s/%s': %s",
				 DRIVE_STATE_NAME, IDENTITY_NAME,
				 error_words(-errno));
	n = pread(fd, text, sizeof(text), 0);
	if (n < 0)
		return error_set(err, -errno, "cannot read '%s/%s': %s",
				 DRIVE_STATE_NAME, IDENTITY_NAME,
				 error_words(-errno));
	return identity_decode(text, (size_t)n, ret_identity, err);
}

static int make_uuid(uint8_t uuid[16])
{
	if (getrandom(uuid, 16, 0) != 16)
		return -EIO;
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40); /* RFC 9562, v4 */
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	return 0;
}

static int write_file(int state_fd, const struct buf *b)
{
	cleanup_fd int fd = io_openat_create(state_fd, IDENTITY_TMP,
					     O_WRONLY | O_TRUNC, 0600);
	int rc;

	if (fd < 0)
		return fd;
	rc = io_pwrite(fd, b->data, b->len, 0);
	if (rc == 0)
		rc = io_fsync(fd);
	if (rc == 0)
		rc = io_renameat(state_fd, IDENTITY_TMP, state_fd,
				 IDENTITY_NAME);
	if (rc == 0)
		rc = io_fsync(state_fd);
	return rc;
}

int identity_create(int state_fd, struct identity *ret_identity,
		    struct error *err)
{
	struct identity id = { 0 };
	cleanup_buf struct buf b;
	int rc = hash_key_random(&id.key, err);

	buf_init(&b, IDENTITY_MAX);
	if (rc < 0)
		return rc;
	rc = make_uuid(id.uuid);
	if (rc == 0)
		rc = encode(&id, &b);
	if (rc == 0)
		rc = write_file(state_fd, &b);
	if (rc < 0)
		return error_set(err, rc, "cannot write '%s/%s': %s",
				 DRIVE_STATE_NAME, IDENTITY_NAME,
				 error_words(rc));
	*ret_identity = id;
	return 0;
}
