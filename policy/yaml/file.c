/* SPDX-License-Identifier: EUPL-1.2 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/yaml/internal.h"

static int read_all(int fd, const char *path, struct buf *data,
		    struct error *err)
{
	for (;;) {
		uint8_t block[16384];
		ssize_t n = read(fd, block, sizeof(block));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, -errno, "cannot read '%s': %s",
					 path, error_words(-errno));
		if (n == 0)
			break;
		if (buf_put(data, block, (size_t)n) < 0)
			return error_set(err, buf_error(data),
					 "'%s' is bigger than 1 MiB", path);
	}
	return 0;
}

int yaml_read(int dir_fd, const char *path, bool follow, char **ret_data,
	      size_t *ret_len, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, path,
				   O_RDONLY | (follow ? 0 : O_NOFOLLOW) |
					   O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	cleanup_buf struct buf data;
	struct stat st;
	int rc;

	buf_init(&data, YAML_FILE_MAX + 1);
	if (fd < 0 && errno == ELOOP)
		return error_set(err, -ELOOP, "'%s' is a symbolic link", path);
	if (fd < 0)
		return error_set(err, -errno, "cannot open '%s': %s", path,
				 error_words(-errno));
	if (fstat(fd, &st) < 0)
		return error_set(err, -errno, "cannot look at '%s': %s", path,
				 error_words(-errno));
	if (!S_ISREG(st.st_mode))
		return error_set(err, -EINVAL, "'%s' is not a regular file",
				 path);
	rc = read_all(fd, path, &data, err);
	if (rc < 0)
		return rc;
	*ret_len = data.len;
	if (buf_put_u8(&data, 0) < 0)
		return error_set(err, buf_error(&data),
				 "'%s' is bigger than 1 MiB", path);
	*ret_data = (char *)take_ptr(&data.data);
	return 0;
}
