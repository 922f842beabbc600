/* SPDX-License-Identifier: EUPL-1.2 */
/* mount, umount */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/sobre/internal.h"

#define STOP_TIMEOUT_MS 60000

/* DRIVE is a configured name or a path. */
static int find_lower(const char *drive, char **ret_lower, struct error *err)
{
	cleanup_free char *named = NULL;
	int rc = setup_lower_of(drive, &named, err);

	return rc < 0 ? rc
		      : path_canonical(named ? named : drive, true, ret_lower,
				       err);
}

static void say_nothing(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static bool is_drive(int root_fd, const char *state)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/drive",
			 state ? state : DRIVE_STATE_NAME);

	return n > 0 && (size_t)n < sizeof(path) &&
	       faccessat(root_fd, path, F_OK, 0) == 0;
}

/* Paths of departments are looked for under a mount that is there already,
 * too: the same names; below it when its daemon died. */
static struct setup *load_setup(const struct cli *cli, const char *lower,
				struct setup_paths *paths, struct error *err)
{
	unsigned int dead;
	cleanup_fd int root_fd = daemon_open_below(lower, &dead, err);
	struct setup *setup = NULL;

	if (root_fd < 0)
		return NULL;
	if (setup_paths_find(cli->config, cli->policies, lower, paths, err) < 0)
		return NULL;
	if (setup_load(paths, root_fd, setup_say, NULL, &setup, err) < 0 &&
	    is_drive(root_fd, cli->state)) {
		struct error wrong = *err;

		/* A folder that an agent renamed must not keep everybody from
		 * the share; what else is wrong does. */
		*err = (struct error)ERROR_INIT;
		if (setup_load(paths, -1, say_nothing, NULL, &setup, err) < 0)
			*err = wrong;
		else
			(void)fprintf(stderr, "%s",
				      T("sobre: mounted all the same: files "
					"below a missing path are of no "
					"department\n"));
	}
	return setup;
}

/* Over the lower, unless it is named. */
static int find_mount_place(const struct cli *cli, const char *lower,
			    char **ret_path, struct error *err)
{
	if (cli->n > 1)
		return path_canonical(cli->operands[1], true, ret_path, err);
	*ret_path = strdup(lower);
	return *ret_path ? 0 : error_set(err, -ENOMEM, "out of memory");
}

int cmd_mount(const struct cli *cli)
{
	cleanup_free char *lower = NULL;
	cleanup_free char *mountpoint = NULL;
	cleanup_setup_paths struct setup_paths paths = { .config = NULL };
	CLEANUP(setup_free) struct setup *setup = NULL;
	struct error err = ERROR_INIT;
	struct daemon_options options = {
		.state = cli->state,
		.foreground = cli->foreground,
		.readonly = cli->readonly,
		.no_passthrough = cli->no_passthrough,
		.no_uring = cli->no_uring,
		.no_idle_class = cli->no_idle_class,
		.clock = clock_real(),
	};

	if (find_lower(cli->operands[0], &lower, &err) < 0)
		return out_error(&err);
	if (find_mount_place(cli, lower, &mountpoint, &err) < 0)
		return out_error(&err);
	if (daemon_check_rights(&err) < 0)
		return out_error(&err);
	setup = load_setup(cli, lower, &paths, &err);
	if (!setup)
		return out_error(&err);
	options.setup = setup;
	options.policies = paths.policies;
	options.lower = lower;
	options.mountpoint = mountpoint;
	if (daemon_mount(&options, &err) < 0)
		return out_error(&err);
	return EXIT_DONE;
}

/* --- umount ------------------------------------------------------------------
 */

/* The daemon's process, to see it end; -1 when it can't be known. */
static int open_daemon(const char *uuid, pid_t *ret_pid)
{
	struct error ignored = ERROR_INIT;
	cleanup_fd int sock = daemon_connect(uuid, &ignored);
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (sock < 0 ||
	    getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -1;
	*ret_pid = cred.pid;
	return (int)syscall(SYS_pidfd_open, cred.pid, 0);
}

static int say_busy(const char *mountpoint)
{
	cleanup_ways struct way_list holders = { .ways = NULL };
	struct error err = ERROR_INIT;

	if (daemon_holders(mountpoint, &holders, &err) < 0)
		return out_error(&err);
	(void)fprintf(stderr, T("sobre: '%s' is in use\n"), mountpoint);
	for (size_t i = 0; i < holders.n; i++)
		(void)fprintf(stderr, T("  by %s\n"), holders.ways[i].name);
	return EXIT_REFUSED;
}

/* What a killed daemon left in /run: the way down, the socket. */
static void clear_run_directory(const char *uuid)
{
	static const char *const names[] = { "control.sock", "log" };
	char path[128];

	(void)snprintf(path, sizeof(path), RUN_DIR "/%s/lower", uuid);
	(void)umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	(void)rmdir(path);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), RUN_DIR "/%s/%s", uuid,
			       names[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), RUN_DIR "/%s", uuid);
	(void)rmdir(path);
}

static int detach_dead(const struct place *place)
{
	struct error err = ERROR_INIT;

	if (umount2(place->root, MNT_DETACH | UMOUNT_NOFOLLOW) < 0) {
		(void)error_set(&err, -errno, "cannot unmount '%s': %s",
				place->root, strerrordesc_np(errno));
		return out_error(&err);
	}
	clear_run_directory(place->uuid);
	(void)fprintf(stderr,
		      T("sobre: the daemon of '%s' had died: its mount is "
			"detached\n"),
		      place->root);
	return EXIT_DONE;
}

/* Bind mounts of the mount keep the daemon at work. */
static bool mounted_elsewhere(const char *uuid, char **ret_point)
{
	cleanup_mounts struct mount_table table = MOUNT_TABLE_INIT;
	struct error ignored = ERROR_INIT;
	const struct mount *m;
	char source[64];

	(void)snprintf(source, sizeof(source), SOBRE_SOURCE_PREFIX "%s", uuid);
	if (mount_table_read("/proc/self/mountinfo", &table, &ignored) < 0)
		return false;
	m = mount_table_by_source(&table, source);
	*ret_point = m ? strdup(m->point) : NULL;
	return *ret_point != NULL;
}

static int wait_until_gone(const struct place *place, int pidfd, pid_t pid)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	cleanup_free char *elsewhere = NULL;
	struct error err = ERROR_INIT;

	if (mounted_elsewhere(place->uuid, &elsewhere)) {
		(void)error_set(&err, -EBUSY,
				"'%s' is unmounted, but the drive is still "
				"mounted at '%s'",
				place->root, elsewhere);
		return out_error(&err);
	}
	if (pidfd < 0 || poll(&ended, 1, STOP_TIMEOUT_MS) > 0)
		return EXIT_DONE;
	(void)error_set(&err, -ETIMEDOUT,
			"'%s' is unmounted, but the daemon (pid %d) has not "
			"ended yet: files are in use, or another mount "
			"namespace has the mount ('lsns -t mnt')",
			place->root, (int)pid);
	return out_error(&err);
}

/* With a mountpoint of its own, the lower names the drive as well. */
static int find_mountpoint(struct place *place, struct error *err)
{
	char *point = NULL;

	if (!mounted_elsewhere(place->uuid, &point))
		return error_set(err, -EINVAL, "'%s' is not mounted",
				 place->root);
	free(place->root);
	place->root = point;
	return 0;
}

int cmd_umount(const struct cli *cli)
{
	cleanup_place struct place place = { .root = NULL };
	struct error err = ERROR_INIT;
	cleanup_fd int pidfd = -1;
	pid_t pid = 0;

	if (place_find(cli->operands[0], true, NULL, &place, &err) < 0)
		return out_error(&err);
	/* Standing in the mount would keep it busy. */
	if (chdir("/") < 0)
		return EXIT_REFUSED;
	if (place.dead)
		return detach_dead(&place);
	if (!place.served) {
		(void)error_set(&err, -EINVAL, "'%s' is not mounted",
				place.root);
		return out_error(&err);
	}
	if (find_mountpoint(&place, &err) < 0)
		return out_error(&err);
	pidfd = open_daemon(place.uuid, &pid);
	if (umount2(place.root, UMOUNT_NOFOLLOW) == 0)
		return wait_until_gone(&place, pidfd, pid);
	if (errno == EBUSY)
		return say_busy(place.root);
	(void)error_set(&err, -errno, "cannot unmount '%s': %s", place.root,
			strerrordesc_np(errno));
	return out_error(&err);
}
