/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_SUPPORT_CHAOS_H
#define SOBREFS_TESTS_SUPPORT_CHAOS_H

/* Between chaos.c and chaos_pick.c, and the functions that chaos.c puts itself
 * in front of (ld --wrap). */

#include "fs/file/file.h"
#include "tools/daemon/internal.h"
#include "tools/sobre/internal.h"

/* From 0 to `sides` less 1. */
uint64_t chaos_roll(uint64_t sides);

struct chaos_place {
	char path[4096]; /* from the root */
	bool directory;
};

/* Down from the root till a file; now and then a directory does. False: there
 * is none. */
bool chaos_pick(struct drive *drive, struct chaos_place *ret);
/* O_PATH. */
int chaos_open(struct drive *drive, const struct chaos_place *found);

/* Up to 3 ms, once in so many calls on average; when chaos is on. */
void chaos_linger(unsigned int one_in);

int __real_args_parse(char **argv, const struct arg_option *options, size_t n,
		      struct error *err);
int __wrap_args_parse(char **argv, const struct arg_option *options, size_t n,
		      struct error *err);
int64_t __real_setup_min_age_s(const struct setup *setup);
int64_t __wrap_setup_min_age_s(const struct setup *setup);
int __real_daemon_watch_use(struct daemon *d, struct error *err);
int __wrap_daemon_watch_use(struct daemon *d, struct error *err);
void *__real_packer_main(void *daemon);
void *__wrap_packer_main(void *daemon);
int __real_setpriority(int which, unsigned int who, int value);
int __wrap_setpriority(int which, unsigned int who, int value);

int __real_file_open(struct drive *drive, const struct lower_ref *at, int flags,
		     struct file **ret_file, bool *ret_packed,
		     struct error *err);
int __wrap_file_open(struct drive *drive, const struct lower_ref *at, int flags,
		     struct file **ret_file, bool *ret_packed,
		     struct error *err);
void __real_file_close(struct file *file, int flags);
void __wrap_file_close(struct file *file, int flags);
int __real_file_copy_up(struct file *file, int opath, struct error *err);
int __wrap_file_copy_up(struct file *file, int opath, struct error *err);

int __real_io_fsetxattr(int fd, const char *name, const void *value,
			size_t len);
int __wrap_io_fsetxattr(int fd, const char *name, const void *value,
			size_t len);
int __real_io_fremovexattr(int fd, const char *name);
int __wrap_io_fremovexattr(int fd, const char *name);
int __real_io_fallocate(int fd, int mode, uint64_t off, uint64_t len);
int __wrap_io_fallocate(int fd, int mode, uint64_t off, uint64_t len);

#endif
