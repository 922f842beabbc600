/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/daemon/internal.h"
#include "tools/po/po.h"

static void daemon_free(struct daemon *d)
{
	if (!d)
		return;
	close_at(&d->listen_fd);
	close_at(&d->spare_fd);
	close_at(&d->wake_fd);
	close_at(&d->stop_fd);
	close_at(&d->state_fd);
	close_at(&d->run_fd);
	turn_release(&d->turn);
	(void)pthread_cond_destroy(&d->idle);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
}
DEFINE_CLEANUP(struct daemon *, daemon_free)

static int daemon_new(const struct daemon_options *options,
		      struct daemon **ret_daemon, struct error *err)
{
	struct daemon *d = calloc(1, sizeof(*d));

	if (!d || turn_init(&d->turn) < 0) {
		free(d);
		return error_set(err, -ENOMEM, "no memory for the daemon");
	}
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_cond_init(&d->idle, NULL);
	d->options = options;
	d->since_s = clock_now_s(&options->clock);
	d->state_fd = -1;
	d->run_fd = -1;
	d->listen_fd = -1;
	d->spare_fd = -1;
	d->wake_fd = eventfd(0, EFD_CLOEXEC);
	d->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (d->wake_fd < 0 || d->stop_fd < 0) {
		daemon_free(d);
		return error_set(err, -errno, "cannot make an eventfd: %s",
				 strerrordesc_np(errno));
	}
	*ret_daemon = d;
	return 0;
}

static int serve(const struct daemon_options *options, int ready_fd,
		 struct error *err)
{
	CLEANUP(daemon_free) struct daemon *d = NULL;
	int rc = daemon_new(options, &d, err);

	return rc < 0 ? rc : daemon_serve(d, ready_fd, err);
}

/* In the background: what went wrong before "ready" goes to the parent. */
static _Noreturn void child(const struct daemon_options *options, int ready_fd)
{
	char message[1 + sizeof(int) + ERROR_TEXT_MAX] = "E";
	struct error err = ERROR_INIT;
	int rc;

	(void)setsid();
	if (chdir("/") < 0)
		_exit(EXIT_FAILURE);
	rc = serve(options, ready_fd, &err);
	if (rc == 0)
		_exit(EXIT_SUCCESS);
	memcpy(message + 1, &err.code, sizeof(err.code));
	memcpy(message + 1 + sizeof(err.code), err.text, sizeof(err.text));
	if (write(ready_fd, message, sizeof(message)) < 0)
		_exit(EXIT_FAILURE);
	_exit(EXIT_FAILURE);
}

/* 0 when the child says that the mount answers. */
static int wait_for_child(pid_t pid, int fd, struct error *err)
{
	char message[1 + sizeof(int) + ERROR_TEXT_MAX];
	size_t len = 0;
	int code;

	while (len < sizeof(message)) {
		ssize_t n = read(fd, message + len, sizeof(message) - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
		if (message[0] == 'R')
			return 0;
	}
	(void)waitpid(pid, NULL, 0);
	if (len != sizeof(message))
		return error_set(err, -EPIPE,
				 "the daemon died while it started");
	memcpy(&code, message + 1, sizeof(code));
	message[sizeof(message) - 1] = '\0';
	return error_set(err, code < 0 ? code : -EIO, "%s",
			 message + 1 + sizeof(code));
}

static int mount_in_background(const struct daemon_options *options,
			       struct error *err)
{
	int fds[2];
	pid_t pid;
	int rc;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_set(err, -errno, "cannot make a pipe: %s",
				 strerrordesc_np(errno));
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		(void)close(fds[0]);
		child(options, fds[1]);
	}
	(void)close(fds[1]);
	rc = pid < 0 ? error_set(err, -errno, "cannot fork: %s",
				 strerrordesc_np(errno))
		     : wait_for_child(pid, fds[0], err);
	(void)close(fds[0]);
	return rc;
}

int daemon_mount(const struct daemon_options *options, struct error *err)
{
	/* Our own working directory must not be another way in. */
	if (chdir("/") < 0)
		return error_set(err, -errno, "cannot go to '/': %s",
				 strerrordesc_np(errno));
	if (options->foreground)
		return serve(options, -1, err);
	return mount_in_background(options, err);
}
