/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_BASE_HANDLE_H
#define SOBREFS_BASE_HANDLE_H

/*
 * File handles, name_to_handle_at(2): what an inode can be opened by without
 * a name. Valid as long as the inode has a name somewhere, over reboots too.
 * Thread-safety: as the system call's.
 */

#include <stdint.h>

#define HANDLE_BYTES_MAX 64

struct lower_handle {
	int32_t type;
	uint8_t len; /* 0: none */
	uint8_t bytes[HANDLE_BYTES_MAX];
};

/* Of `name`, one component, in the directory `fd`, links not followed; "":
 * of `fd` itself, any kind of descriptor. 0 or -Exxx; -EOVERFLOW: the file
 * system's are longer than ours. */
int handle_get(int fd, const char *name, struct lower_handle *ret_handle);

/* O_CLOEXEC is added to `flags`. `mount_fd`: not O_PATH, of the same file
 * system. The fd, or -Exxx; -ESTALE: no such inode, or it has no name. */
int handle_open(int mount_fd, const struct lower_handle *handle, int flags);

#endif
