/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "fs/base/error.h"

union kernel_handle {
	struct file_handle h;
	uint8_t room[sizeof(struct file_handle) + HANDLE_BYTES_MAX];
};

int handle_get(int fd, const char *name, struct lower_handle *ret_handle)
{
	union kernel_handle u;
	int mount_id;

	u.h.handle_bytes = HANDLE_BYTES_MAX;
	if (name_to_handle_at(fd, name, &u.h, &mount_id, AT_EMPTY_PATH) < 0)
		return error_negative(-errno);
	ret_handle->type = u.h.handle_type;
	ret_handle->len = (uint8_t)u.h.handle_bytes;
	memcpy(ret_handle->bytes, u.h.f_handle, u.h.handle_bytes);
	return 0;
}

int handle_open(int mount_fd, const struct lower_handle *handle, int flags)
{
	union kernel_handle u;
	int fd;

	if (handle->len == 0 || handle->len > HANDLE_BYTES_MAX)
		return -ESTALE;
	u.h.handle_bytes = handle->len;
	u.h.handle_type = handle->type;
	memcpy(u.h.f_handle, handle->bytes, handle->len);
	fd = open_by_handle_at(mount_fd, &u.h, flags | O_CLOEXEC);
	return fd < 0 ? error_negative(-errno) : fd;
}
