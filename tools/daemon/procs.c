/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/procs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fs/base/cleanup.h"
#include "tools/daemon/mountinfo.h"

static void dir_close_at(DIR **at)
{
	if (*at)
		(void)closedir(*at);
}
#define cleanup_dir __attribute__((cleanup(dir_close_at)))

static void file_close_at(FILE **at)
{
	if (*at)
		(void)fclose(*at);
}
#define cleanup_file __attribute__((cleanup(file_close_at)))

/* --- parsing ---------------------------------------------------------------
 */

bool proc_parse_stat(const char *text, char ret_comm[PROC_COMM_BYTES],
		     uint64_t *ret_start)
{
	const char *open = strchr(text, '(');
	const char *close = strrchr(text, ')');
	size_t len;
	char *end;

	if (!open || !close || close < open)
		return false;
	len = (size_t)(close - open) - 1;
	if (len >= PROC_COMM_BYTES)
		len = PROC_COMM_BYTES - 1;
	for (size_t i = 0; i < len; i++) {
		char c = open[1 + i];

		ret_comm[i] = (char)(c < ' ' || c > '~' ? '?' : c);
	}
	ret_comm[len] = '\0';
	/* starttime is field 22; the state after the name is field 3. */
	for (int field = 2; field < 22; field++) {
		close = strchr(close, ' ');
		if (!close)
			return false;
		close++;
	}
	*ret_start = strtoull(close, &end, 10);
	return end != close;
}

const char *proc_parse_map(char *line, dev_t *ret_dev)
{
	unsigned int major;
	unsigned int minor;
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own line */
	if (sscanf(line, "%*x-%*x %*s %*x %x:%x %*u %n", &major, &minor, &at) !=
		    2 ||
	    at == 0 || line[at] != '/')
		return NULL;
	*ret_dev = makedev(major, minor);
	return line + at;
}

bool proc_is_want(int number)
{
	return number == EMFILE || number == ENFILE || number == ENOMEM ||
	       number == EIO;
}

/* --- reading /proc ----------------------------------------------------------
 */

static bool read_text(const char *path, char *text, size_t size)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return true;
}

bool proc_identity(pid_t pid, char ret_comm[PROC_COMM_BYTES],
		   uint64_t *ret_start)
{
	char path[64];
	char text[1024];

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return read_text(path, text, sizeof(text)) &&
	       proc_parse_stat(text, ret_comm, ret_start);
}

int procs_each(bool (*each)(void *ctx, pid_t pid), void *ctx, struct error *err)
{
	cleanup_dir DIR *proc = opendir("/proc");
	const struct dirent *entry;

	if (!proc)
		return error_set(err, -errno, "cannot read '/proc': %s",
				 strerrordesc_np(errno));
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while ((entry = readdir(proc))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (*end || pid <= 0 || pid > INT_MAX)
			continue;
		if (!each(ctx, (pid_t)pid))
			break;
	}
	return 0;
}

struct search {
	const struct proc_query *query;
	proc_ref_fn *each;
	void *ctx;
	struct proc_ref ref; /* of the process being looked at */
	bool more;
	int failed;		  /* looking, for want of something */
	struct mount_table table; /* of the mount namespace `ns` */
	ino_t ns;		  /* 0: none yet */
};

/* After a call that failed. A process that has ended, or may not be looked at,
 * has nothing to tell; what could not be looked at isn't known. */
static void note_want(struct search *s)
{
	if (!proc_is_want(errno))
		return;
	s->failed = -errno;
	s->more = false;
}

static void tell(struct search *s, const char *kind, const char *path)
{
	s->ref.kind = kind;
	s->ref.path = path;
	s->more = s->more && s->each(s->ctx, &s->ref);
	s->ref.kind = NULL;
	s->ref.path = NULL;
}

/* The mounts that the process sees; false when they can't be known. */
static bool load_mounts(struct search *s)
{
	struct mount_table table = MOUNT_TABLE_INIT;
	struct error err = ERROR_INIT;
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)s->ref.pid);
	if (stat(path, &st) < 0)
		return false;
	if (st.st_ino == s->ns)
		return true;
	(void)snprintf(path, sizeof(path), "/proc/%d/mountinfo",
		       (int)s->ref.pid);
	if (mount_table_read(path, &table, &err) < 0) {
		errno = -err.code;
		note_want(s);
		return false;
	}
	mount_table_release(&s->table);
	s->table = table;
	s->ns = st.st_ino;
	return true;
}

/* Where asking for an inode may wait for a server. */
static bool is_remote(const struct mount *m)
{
	return m && (!strncmp(m->fstype, "nfs", 3) || !strcmp(m->fstype, "9p"));
}

/* Is it on the device, but on a mount that the process doesn't see? */
static bool is_hidden(struct search *s, const char *link, const char *path)
{
	struct statx stx;

	if (!load_mounts(s) ||
	    is_remote(mount_table_serving(&s->table, path)) ||
	    statx(AT_FDCWD, link, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
		  STATX_MNT_ID, &stx) < 0 ||
	    !(stx.stx_mask & STATX_MNT_ID) ||
	    makedev(stx.stx_dev_major, stx.stx_dev_minor) != s->query->dev)
		return false;
	for (size_t i = 0; i < s->table.n; i++)
		if ((uint64_t)s->table.mounts[i].id == stx.stx_mnt_id)
			return false;
	return true;
}

/* Does the link, which reads `path`, lead inside? Then `path` is where. */
static bool leads_inside(struct search *s, const char *link,
			 char path[PATH_MAX])
{
	if (path_inside(path, s->query->dir, NULL))
		return true;
	return s->query->inside && *path == '/' && is_hidden(s, link, path) &&
	       s->query->inside(s->query->ctx, link, path);
}

/* One magic link: is what it leads to on the device and in the directory? */
static void look_at_link(struct search *s, const char *link, const char *kind)
{
	char path[PATH_MAX];
	struct stat st;
	ssize_t n = readlink(link, path, sizeof(path) - 1);

	if (n < 0)
		note_want(s);
	if (n <= 0)
		return;
	path[n] = '\0';
	/* The text first: asking a dead mount for attributes may hang. */
	if (!leads_inside(s, link, path) || stat(link, &st) < 0 ||
	    st.st_dev != s->query->dev)
		return;
	/* An unlinked file is in nobody's way. */
	if (S_ISREG(st.st_mode) && st.st_nlink == 0)
		return;
	tell(s, kind, path);
}

static void look_at_fds(struct search *s)
{
	char path[64];
	cleanup_dir DIR *dir = NULL;
	const struct dirent *entry;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)s->ref.pid);
	dir = opendir(path);
	if (!dir)
		note_want(s);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while (s->more && dir && (entry = readdir(dir))) {
		char link[sizeof(path) + NAME_MAX + 2];
		char kind[32];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(link, sizeof(link), "%s/%s", path,
			       entry->d_name);
		(void)snprintf(kind, sizeof(kind), "fd %.20s", entry->d_name);
		look_at_link(s, link, kind);
	}
}

/* The link to what the line of /proc/PID/maps is about. */
static bool map_link(const struct search *s, const char *line, char link[96])
{
	unsigned long start;
	unsigned long end;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own line */
	if (sscanf(line, "%lx-%lx", &start, &end) != 2)
		return false;
	(void)snprintf(link, 96, "/proc/%d/map_files/%lx-%lx", (int)s->ref.pid,
		       start, end);
	return true;
}

static void look_at_map(struct search *s, const char *line, const char *mapped)
{
	char path[PATH_MAX];
	char link[96];
	int n = snprintf(path, sizeof(path), "%s", mapped);

	if (n < 0 || (size_t)n >= sizeof(path) || !map_link(s, line, link))
		return;
	if (leads_inside(s, link, path))
		tell(s, "map", path);
}

static void look_at_maps(struct search *s)
{
	char path[64];
	cleanup_file FILE *f = NULL;
	cleanup_free char *line = NULL;
	cleanup_free char *last = NULL;
	size_t size = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)s->ref.pid);
	f = fopen(path, "re");
	if (!f)
		note_want(s);
	while (s->more && f && getline(&line, &size, f) > 0) {
		dev_t dev;
		const char *mapped = proc_parse_map(line, &dev);

		if (!mapped || dev != s->query->maps_dev ||
		    (last && !strcmp(last, mapped)))
			continue;
		free(last);
		last = strdup(mapped);
		look_at_map(s, line, mapped);
	}
}

static bool look_at_process(void *ctx, pid_t pid)
{
	struct search *s = ctx;
	char comm[PROC_COMM_BYTES];
	char link[64];

	if (pid == s->query->except)
		return true;
	errno = 0;
	if (!proc_identity(pid, comm, &s->ref.start)) {
		note_want(s);
		return s->more;
	}
	s->ref.pid = pid;
	s->ref.comm = comm;
	(void)snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
	look_at_link(s, link, "cwd");
	(void)snprintf(link, sizeof(link), "/proc/%d/root", (int)pid);
	look_at_link(s, link, "root");
	look_at_fds(s);
	look_at_maps(s);
	s->ref.comm = NULL;
	return s->more;
}

int procs_each_ref(const struct proc_query *query, proc_ref_fn *each, void *ctx,
		   struct error *err)
{
	struct search s = {
		.query = query, .each = each, .ctx = ctx, .more = true
	};
	int rc = procs_each(look_at_process, &s, err);

	mount_table_release(&s.table);
	if (rc == 0 && s.failed)
		rc = error_set(err, s.failed,
			       "cannot look at all processes: %s",
			       strerrordesc_np(-s.failed));
	return rc;
}

int proc_ref_name(const struct proc_ref *ref, char *text, size_t size)
{
	return snprintf(text, size, "pid %d (%s) %s %s", (int)ref->pid,
			ref->comm, ref->kind, ref->path);
}
