/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/cleanup.h"

#define SAID_MAX 200 /* bytes kept of standard error */
#define CPU_S	 10
#define MEMORY	 (512u << 20)
#define FILES	 64
#define WRITTEN	 (1u << 20)

/* --- the child: async-signal-safe calls alone ------------------------------
 */

struct pipes {
	int out[2];
	int said[2];
};

static void limit(int resource, rlim_t most)
{
	const struct rlimit r = { .rlim_cur = most, .rlim_max = most };

	(void)setrlimit((__rlimit_resource_t)resource, &r);
}

/* What the daemon ignores or blocks is not the program's choice. */
static void usual_signals(void)
{
	static const int ignored[] = { SIGIO, SIGPIPE, SIGHUP };
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)sigaction(ignored[i], &usual, NULL);
	(void)sigemptyset(&none);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): of a child of one thread */
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Unlike the daemon it may be killed when memory lacks. */
static void be_killable(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) < 0)
		return;
	(void)close(fd);
}

__attribute__((noreturn)) static void child(const struct spawn *spawn,
					    const struct pipes *p)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char locale[] = "LC_ALL=C";
	char *const environment[] = { path, locale, NULL };
	int in = spawn->input_fd > 0 ? spawn->input_fd
				     : open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)setsid();
	/* A daemon that was killed kills it no more. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	usual_signals();
	be_killable();
	limit(RLIMIT_CPU, CPU_S);
	limit(RLIMIT_AS, MEMORY);
	limit(RLIMIT_NOFILE, FILES);
	limit(RLIMIT_FSIZE,
	      spawn->written_max > 0 ? spawn->written_max : WRITTEN);
	limit(RLIMIT_CORE, 0);
	if (in >= 0 && dup2(in, STDIN_FILENO) >= 0 &&
	    dup2(p->out[1], STDOUT_FILENO) >= 0 &&
	    dup2(p->said[1], STDERR_FILENO) >= 0 && chdir("/") == 0) {
		/* what others left open: ours all close by themselves */
		(void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
		(void)execve(spawn->argv[0], spawn->argv, environment);
	}
	_exit(127);
}

/* --- waiting for it --------------------------------------------------------
 */

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct stream {
	int fd;
	char *text;
	size_t len;
	size_t most;
	bool over; /* more came than there is room for */
};

/* False: it ended. */
static bool read_some(struct stream *s)
{
	char buf[4096];
	ssize_t n = read(s->fd, buf, sizeof(buf));
	size_t room = s->most - s->len;
	size_t take;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	take = (size_t)n < room ? (size_t)n : room;
	memcpy(s->text + s->len, buf, take);
	s->len += take;
	s->over = s->over || take < (size_t)n;
	return n > 0;
}

enum {
	OUT,
	SAID,
	END,
	STOP,
	FDS
};

/* What is still in the pipes when it has ended. */
static void drain(struct stream streams[2])
{
	for (int i = OUT; i <= SAID; i++)
		while (!streams[i].over) {
			struct pollfd p = { .fd = streams[i].fd,
					    .events = POLLIN };

			if (poll(&p, 1, 0) <= 0 || !read_some(&streams[i]))
				break;
		}
}

/* Of both, what is there. */
static void take(struct pollfd fds[FDS], struct stream streams[2])
{
	for (int i = OUT; i <= SAID; i++)
		if (fds[i].revents && !read_some(&streams[i]))
			fds[i].fd = -1;
}

/* Until it ends; -ETIMEDOUT, -ECANCELED, -EFBIG: it is to be killed. */
static int follow(const struct spawn *spawn, int pidfd,
		  struct stream streams[2])
{
	struct pollfd fds[FDS] = {
		[OUT] = { .fd = streams[OUT].fd, .events = POLLIN },
		[SAID] = { .fd = streams[SAID].fd, .events = POLLIN },
		[END] = { .fd = pidfd, .events = POLLIN },
		[STOP] = { .fd = spawn->stop_fd, .events = POLLIN },
	};
	const int64_t until_ms = now_ms() + spawn->timeout_ms;

	for (;;) {
		int64_t left_ms = until_ms - now_ms();

		if (left_ms <= 0)
			return -ETIMEDOUT;
		if (poll(fds, FDS, (int)left_ms) < 0 && errno != EINTR)
			return -errno;
		if (fds[STOP].revents)
			return -ECANCELED;
		take(fds, streams);
		if (streams[OUT].over)
			return -EFBIG;
		if (fds[END].revents) {
			drain(streams);
			return streams[OUT].over ? -EFBIG : 0;
		}
	}
}

/* What it started too, unless that left its session. */
static int reap(pid_t pid, bool kill_it)
{
	int status = 0;

	if (kill_it) {
		(void)kill(pid, SIGKILL);
		(void)kill(-pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

/* --- what came of it -------------------------------------------------------
 */

static int say_failed(const struct spawn *spawn, int status,
		      const struct stream *said, struct error *err)
{
	const char *name = spawn->argv[0];
	int line = (int)strcspn(said->text, "\n");

	if (WIFSIGNALED(status))
		return error_set(err, -EIO, "'%s' was killed by signal %d",
				 name, WTERMSIG(status));
	if (WEXITSTATUS(status) == 127 && said->len == 0)
		return error_set(err, -EIO, "'%s' cannot be run", name);
	return error_set(err, -EIO, "'%s' failed with exit status %d%s%.*s",
			 name, WEXITSTATUS(status), line ? ": " : "", line,
			 said->text);
}

static int say_why(const struct spawn *spawn, int rc, struct error *err)
{
	const char *name = spawn->argv[0];

	if (rc == -ETIMEDOUT)
		return error_set(err, rc, "'%s' did not end within %d s", name,
				 spawn->timeout_ms / 1000);
	if (rc == -ECANCELED)
		return error_set(err, rc, "'%s' was interrupted", name);
	if (rc == -EFBIG)
		return error_set(err, rc, "'%s' says more than %d bytes", name,
				 SPAWN_OUTPUT_MAX);
	return error_set(err, rc, "cannot run '%s': %s", name, error_words(rc));
}

static int pidfd_of(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int run(const struct spawn *spawn, const struct pipes *pipes,
	       struct stream streams[2], struct error *err)
{
	pid_t pid = fork();
	cleanup_fd int pidfd = -1;
	int status;
	int rc;

	if (pid == 0)
		child(spawn, pipes);
	rc = pid < 0 ? -errno : 0;
	(void)close(pipes->out[1]);
	(void)close(pipes->said[1]);
	if (rc < 0)
		return say_why(spawn, rc, err);
	pidfd = pidfd_of(pid);
	rc = pidfd < 0 ? -errno : follow(spawn, pidfd, streams);
	status = reap(pid, rc < 0);
	streams[OUT].text[streams[OUT].len] = '\0';
	streams[SAID].text[streams[SAID].len] = '\0';
	if (rc < 0)
		return say_why(spawn, rc, err);
	if (status < 0)
		return say_why(spawn, status, err);
	return status == 0 ? 0 : say_failed(spawn, status, &streams[SAID], err);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): written through a stream */
int spawn_read(const struct spawn *spawn, char *ret_output, struct error *err)
{
	char said[SAID_MAX + 1];
	struct pipes p = { { -1, -1 }, { -1, -1 } };
	struct stream streams[2];
	int rc;

	if (access(spawn->argv[0], X_OK) < 0)
		return say_why(spawn, -errno, err);
	if (pipe2(p.out, O_CLOEXEC) < 0)
		return say_why(spawn, -errno, err);
	if (pipe2(p.said, O_CLOEXEC) < 0) {
		rc = -errno;
		(void)close(p.out[0]);
		(void)close(p.out[1]);
		return say_why(spawn, rc, err);
	}
	streams[OUT] = (struct stream){ .fd = p.out[0],
					.text = ret_output,
					.most = SPAWN_OUTPUT_MAX };
	streams[SAID] = (struct stream){ .fd = p.said[0],
					 .text = said,
					 .most = SAID_MAX };
	rc = run(spawn, &p, streams, err);
	(void)close(p.out[0]);
	(void)close(p.said[0]);
	return rc;
}
