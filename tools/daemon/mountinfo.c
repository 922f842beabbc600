/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/buf.h"

#define MOUNTINFO_MAX_BYTES (64u << 20)

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

void mount_unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at; to++) {
		if (at[0] == '\\' && at[1] >= '0' && at[1] <= '3' &&
		    is_octal(at[2]) && is_octal(at[3])) {
			*to = (char)(unsigned char)((at[1] - '0') * 64 +
						    (at[2] - '0') * 8 +
						    (at[3] - '0'));
			at += 4;
		} else {
			*to = *at++;
		}
	}
	*to = '\0';
}

/* The next word of the line, cut off with a NUL; NULL at the end. */
static char *next_word(char **at)
{
	char *word = *at;

	while (*word == ' ')
		word++;
	if (!*word)
		return NULL;
	*at = strchrnul(word, ' ');
	if (**at)
		*(*at)++ = '\0';
	return word;
}

static bool read_number(const char *word, char **end, unsigned int max,
			unsigned int *ret_n)
{
	unsigned long n;

	if (*word < '0' || *word > '9')
		return false;
	errno = 0;
	n = strtoul(word, end, 10);
	if (errno || n > max)
		return false;
	*ret_n = (unsigned int)n;
	return true;
}

static bool read_int(const char *word, int *ret_n)
{
	char *end;
	unsigned int n;

	if (!word || !read_number(word, &end, INT32_MAX, &n) || *end)
		return false;
	*ret_n = (int)n;
	return true;
}

static bool read_device(const char *word, struct mount *m)
{
	char *end;

	return word && read_number(word, &end, UINT32_MAX, &m->major) &&
	       *end == ':' &&
	       read_number(end + 1, &end, UINT32_MAX, &m->minor) && !*end;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" */
static bool parse_line(char *line, struct mount *ret_mount)
{
	struct mount m = { 0 };
	char *words[3]; /* root, point, options */
	char *fstype;
	char *source;
	char *word;

	if (!read_int(next_word(&line), &m.id) ||
	    !read_int(next_word(&line), &m.parent) ||
	    !read_device(next_word(&line), &m))
		return false;
	for (int i = 0; i < 3; i++) {
		words[i] = next_word(&line);
		if (!words[i])
			return false;
	}
	do
		word = next_word(&line);
	while (word && strcmp(word, "-") != 0);
	fstype = word ? next_word(&line) : NULL;
	source = fstype ? next_word(&line) : NULL;
	if (!source)
		return false;
	mount_unescape(words[0]);
	mount_unescape(words[1]);
	mount_unescape(fstype);
	mount_unescape(source);
	m.root = words[0];
	m.point = words[1];
	m.fstype = fstype;
	m.source = source;
	*ret_mount = m;
	return m.point[0] == '/';
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (const char *at = text; (at = strchr(at, '\n')); at++)
		n++;
	return n;
}

int mount_table_parse(const char *text, size_t len,
		      struct mount_table *ret_table, struct error *err)
{
	/* A NUL in it ends it: the kernel writes none. */
	cleanup_free char *copy = strndup(text, len);
	struct mount_table table = MOUNT_TABLE_INIT;
	char *rest;

	if (copy)
		table.mounts =
			calloc(count_lines(copy), sizeof(table.mounts[0]));
	if (!table.mounts)
		return error_set(err, -ENOMEM, "no memory for the mounts");
	rest = copy;
	while (rest && *rest) {
		char *line = strsep(&rest, "\n");

		if (parse_line(line, &table.mounts[table.n]))
			table.n++;
	}
	table.text = take_ptr(&copy);
	*ret_table = table;
	return 0;
}

static int read_all(int fd, struct buf *b)
{
	for (;;) {
		uint8_t *at = buf_extend(b, 65536);
		ssize_t n;

		if (!at)
			return buf_error(b);
		n = read(fd, at, 65536);
		if (n < 0 && errno != EINTR)
			return -errno;
		b->len -= 65536 - (n > 0 ? (size_t)n : 0);
		if (n == 0)
			return 0;
	}
}

int mount_table_read(const char *path, struct mount_table *ret_table,
		     struct error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_buf struct buf b;
	int rc;

	buf_init(&b, MOUNTINFO_MAX_BYTES);
	rc = fd < 0 ? -errno : read_all(fd, &b);
	if (rc == 0)
		rc = buf_put_u8(&b, 0);
	if (rc < 0)
		return error_set(err, rc, "cannot read '%s': %s", path,
				 strerrordesc_np(-rc));
	return mount_table_parse((const char *)b.data, b.len, ret_table, err);
}

void mount_table_release(struct mount_table *table)
{
	free(table->mounts);
	free(table->text);
	table->mounts = NULL;
	table->text = NULL;
	table->n = 0;
}

bool path_inside(const char *path, const char *dir, const char **ret_rest)
{
	size_t len = strlen(dir);

	if (len == 1 && dir[0] == '/')
		len = 0;
	if (strncmp(path, dir, len) != 0 ||
	    (path[len] != '/' && path[len] != '\0'))
		return false;
	if (ret_rest)
		*ret_rest = path + len + (path[len] == '/');
	return true;
}

/* Of the mounts standing on `under` along `path`, the one met first: the
 * shortest; of equal ones the last. `under` 0: the root of all. */
static const struct mount *next_crossing(const struct mount_table *table,
					 const struct mount *under,
					 const char *path)
{
	const struct mount *found = NULL;

	for (size_t i = 0; i < table->n; i++) {
		const struct mount *m = &table->mounts[i];

		if (m == under || m->parent != under->id ||
		    !path_inside(path, m->point, NULL))
			continue;
		if (!found || strlen(m->point) < strlen(found->point))
			found = m;
	}
	return found;
}

static const struct mount *by_id(const struct mount_table *table, int id)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->mounts[i].id == id)
			return &table->mounts[i];
	return NULL;
}

/* The mount at "/" whose parent isn't in the table (or is itself). */
static const struct mount *root_mount(const struct mount_table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct mount *m = &table->mounts[i];
		const struct mount *parent = by_id(table, m->parent);

		if (!strcmp(m->point, "/") && (!parent || parent == m))
			return m;
	}
	return NULL;
}

const struct mount *mount_table_serving(const struct mount_table *table,
					const char *path)
{
	const struct mount *at = root_mount(table);

	/* Each step goes to another mount; a table that lies ends too. */
	for (size_t steps = 0; at && steps < table->n; steps++) {
		const struct mount *next = next_crossing(table, at, path);

		if (!next)
			break;
		at = next;
	}
	return at;
}

const struct mount *mount_table_at(const struct mount_table *table,
				   const char *path)
{
	const struct mount *m = mount_table_serving(table, path);

	return m && !strcmp(m->point, path) ? m : NULL;
}

void mount_table_remove(struct mount_table *table, const struct mount *mount)
{
	size_t i = (size_t)(mount - table->mounts);

	table->n--;
	memmove(&table->mounts[i], &table->mounts[i + 1],
		(table->n - i) * sizeof(table->mounts[0]));
}

const struct mount *mount_table_by_source(const struct mount_table *table,
					  const char *source)
{
	for (size_t i = 0; i < table->n; i++)
		if (!strcmp(table->mounts[i].source, source))
			return &table->mounts[i];
	return NULL;
}

void uuid_text(const uint8_t uuid[16], char ret_text[UUID_TEXT_BYTES])
{
	char *at = ret_text;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = "0123456789abcdef"[uuid[i] >> 4];
		*at++ = "0123456789abcdef"[uuid[i] & 15];
	}
	*at = '\0';
}

bool uuid_text_valid(const char *text)
{
	size_t i;

	for (i = 0; text[i] && i < UUID_TEXT_BYTES - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-'
			 : !strchr("0123456789abcdef", text[i]))
			return false;
	}
	return i == UUID_TEXT_BYTES - 1 && !text[i];
}

const char *mount_sobre_uuid(const struct mount *mount)
{
	const char *uuid = mount->source + strlen(SOBRE_SOURCE_PREFIX);

	if (strncmp(mount->fstype, "fuse", 4) != 0 ||
	    strncmp(mount->source, SOBRE_SOURCE_PREFIX,
		    strlen(SOBRE_SOURCE_PREFIX)) != 0)
		return NULL;
	return uuid_text_valid(uuid) ? uuid : NULL;
}
