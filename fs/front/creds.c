/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/internal.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>

/*
 * setfsuid() drops these from the effective set. They must stay: FUSE doesn't
 * tell the caller's supplementary groups, so the lower would refuse what the
 * kernel has already allowed (default_permissions).
 */
static int raise_caps(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct caps[2];
	const uint32_t wanted = 1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE |
				1u << CAP_DAC_READ_SEARCH | 1u << CAP_FOWNER |
				1u << CAP_FSETID | 1u << CAP_MKNOD;

	if (syscall(SYS_capget, &head, caps) < 0)
		return -errno;
	caps[0].effective |= wanted & caps[0].permitted;
	if (syscall(SYS_capset, &head, caps) < 0)
		return -errno;
	return 0;
}

int caller_enter(fuse_req_t req, bool mask, struct caller *ret_caller)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	ret_caller->changed = false;
	if (ctx->uid == (uid_t)-1 || ctx->gid == (gid_t)-1)
		return -EOVERFLOW; /* not in our user namespace */
	if (mask) {
		int r = worker_umask(front_of(req), ctx->umask);

		if (r < 0)
			return r;
	}
	if (ctx->uid == 0 && ctx->gid == 0)
		return 0;
	/* These two tell nothing by what they return: only the group and user
	 * before. Ours are always 0. */
	ret_caller->changed = true;
	ret_caller->gid = (gid_t)setfsgid(ctx->gid);
	ret_caller->uid = (uid_t)setfsuid(ctx->uid);
	return ctx->uid == 0 ? 0 : raise_caps();
}

void caller_leave(const struct caller *caller)
{
	if (!caller->changed)
		return;
	(void)setfsuid(caller->uid); /* to 0: raises them all again */
	(void)setfsgid(caller->gid);
}

bool caller_in_group(fuse_req_t req, gid_t gid)
{
	cleanup_free gid_t *groups = NULL;
	int n;

	if (fuse_req_ctx(req)->gid == gid)
		return true;
	n = fuse_req_getgroups(req, 0, NULL);
	if (n > 0)
		groups = calloc((size_t)n, sizeof(*groups));
	if (!groups)
		return false;

	int got = fuse_req_getgroups(req, n, groups);

	for (int i = 0; i < n && i < got; i++)
		if (groups[i] == gid)
			return true;
	return false;
}
