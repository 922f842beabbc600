/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_DAEMON_TRUSTED_H
#define SOBREFS_DAEMON_TRUSTED_H

#include "fs/base/error.h"

/*
 * May what this file says be run as the user that runs this? Only when nobody
 * else can write it, or put another in its place: it and its directory are of
 * root or of that user, and writable by them alone (a directory may be sticky).
 * An ACL's entries show in the mode of the group. -EPERM names what others may
 * write; or why it can't be looked at. Any thread.
 */
int trusted_file(const char *path, struct error *err);

#endif
