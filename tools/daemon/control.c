/* SPDX-License-Identifier: EUPL-1.2 */
/* The control socket: docs/design/control.md. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/log.h"
#include "tools/daemon/internal.h"

#define REQUEST_TIMEOUT_S 10
#define REPLY_TIMEOUT_S	  30
#define PROGRESS_EVERY_MS 200
#define WANT_PAUSE_MS	  200

struct connection {
	struct daemon *daemon;
	int sock;
	uid_t uid;
	int64_t told_ms; /* when progress was last sent */
	bool gone;
};

int control_listen(struct daemon *d, struct error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	cleanup_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/control.sock",
		       d->run_dir);
	/* A killed daemon left its socket; the drive's lock says it's dead. */
	(void)unlink(addr.sun_path);
	if (sock < 0 ||
	    bind(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    chmod(addr.sun_path, 0600) < 0 || listen(sock, 16) < 0)
		return error_set(err, -errno, "cannot listen at '%s': %s",
				 addr.sun_path, strerrordesc_np(errno));
	d->listen_fd = take_fd(&sock);
	return 0;
}

static int64_t monotonic_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return timespec_ns(ts) / (NS_PER_S / 1000);
}

static bool peer_is_gone(struct connection *c)
{
	struct pollfd fd = { .fd = c->sock, .events = POLLRDHUP };

	if (!c->gone && poll(&fd, 1, 0) > 0)
		c->gone = fd.revents & (POLLRDHUP | POLLHUP | POLLERR);
	return c->gone;
}

static json_t *progress_json(const struct command_progress *p)
{
	json_t *inner = json_pack(
		"{s:I, s:I, s:s}", "done", (json_int_t)p->done, "total",
		(json_int_t)p->total, "unit", p->bytes ? "bytes" : "files");

	if (inner && p->path)
		(void)json_object_set_new(inner, "path",
					  json_from_name(p->path));
	if (inner && p->note)
		(void)json_object_set_new(inner, "note",
					  json_deep_copy(p->note));
	return json_pack("{s:o}", "progress", inner);
}

static bool send_progress(void *ctx, const struct command_progress *p)
{
	struct connection *c = ctx;
	cleanup_json json_t *value = NULL;
	struct error err = ERROR_INIT;
	int64_t now_ms = monotonic_ms();

	if (daemon_stopping(c->daemon) || peer_is_gone(c))
		return false;
	if (!p->note && now_ms - c->told_ms < PROGRESS_EVERY_MS)
		return true;
	c->told_ms = now_ms;
	value = progress_json(p);
	c->gone = value && frame_send(c->sock, value, &err) < 0;
	return !c->gone;
}

static void give_way(void *ctx)
{
	struct connection *c = ctx;

	turn_give_way(&c->daemon->turn);
}

static const char *in_french(const char *english)
{
	return po_text_in(PO_FR, english);
}

/* The reply to whatever comes in the connection's one request. */
static json_t *make_reply(struct connection *c)
{
	const struct command_env env = { .drive = c->daemon->drive,
					 .state_path =
						 c->daemon->options->state,
					 .served = true,
					 .setup = c->daemon->options->setup,
					 .clock = c->daemon->options->clock,
					 .name = c->daemon->options->lower,
					 .stop = &c->daemon->stop,
					 .progress = send_progress,
					 .give_way = give_way,
					 .ctx = c };
	cleanup_request struct request request = { .command = REQUEST_STATUS };
	cleanup_json json_t *value = NULL;
	struct error err = ERROR_INIT;
	json_t *result = NULL;
	int rc = frame_receive(c->sock, &value, &err);

	if (rc == 0)
		return NULL; /* it only looked whether we live */
	if (rc > 0)
		rc = request_decode(value, &request, &err);
	error_speak(request.french ? in_french : NULL);
	if (rc == 0)
		result = daemon_answer(c->daemon, &request, &env, c->uid, &err);
	return result ? json_pack("{s:o}", "result", result)
		      : reply_from_error(&err);
}

static void serve_connection(struct connection *c)
{
	struct pollfd fds[2] = { { .fd = c->sock, .events = POLLIN },
				 { .fd = c->daemon->stop_fd,
				   .events = POLLIN } };
	cleanup_json json_t *value = NULL;
	cleanup_json json_t *too_long = NULL;
	struct error err = ERROR_INIT;

	(void)poll(fds, 2, REQUEST_TIMEOUT_S * 1000);
	if (!(fds[0].revents & POLLIN))
		return;
	value = make_reply(c);
	if (!value || frame_send(c->sock, value, &err) == 0)
		return;
	if (err.code != -EFBIG)
		return; /* it went away */
	too_long = reply_from_error(&err);
	if (too_long)
		(void)frame_send(c->sock, too_long, &err);
}

static void connection_ended(struct daemon *d)
{
	(void)pthread_mutex_lock(&d->lock);
	if (--d->connections == 0)
		(void)pthread_cond_broadcast(&d->idle);
	(void)pthread_mutex_unlock(&d->lock);
}

static void *connection_main(void *connection)
{
	struct connection *c = connection;
	struct daemon *d = c->daemon;

	serve_connection(c);
	(void)close(c->sock);
	free(c);
	connection_ended(d);
	return NULL;
}

static bool may_connect(struct daemon *d)
{
	bool room;

	(void)pthread_mutex_lock(&d->lock);
	room = d->connections < CONNECTIONS_MAX;
	if (room)
		d->connections++;
	(void)pthread_mutex_unlock(&d->lock);
	return room;
}

static struct connection *connection_new(struct daemon *d, int sock)
{
	const struct timeval in = { .tv_sec = REQUEST_TIMEOUT_S };
	const struct timeval out = { .tv_sec = REPLY_TIMEOUT_S };
	struct connection *c = calloc(1, sizeof(*c));
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (!c || getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 ||
	    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &in, sizeof(in)) < 0 ||
	    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &out, sizeof(out)) < 0) {
		free(c);
		return NULL;
	}
	c->daemon = d;
	c->sock = sock;
	c->uid = cred.uid;
	return c;
}

static void refuse(int sock, int code, const char *why)
{
	struct error err = ERROR_INIT;
	cleanup_json json_t *reply = NULL;

	(void)error_set(&err, code, "%s", why);
	reply = reply_from_error(&err);
	if (reply)
		(void)frame_send(sock, reply, &err);
}

/* Before anything is read of others, or kept for them. */
static bool is_root(int sock)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	       cred.uid == 0;
}

static int take_call(const struct daemon *d)
{
	return accept4(d->listen_fd, NULL, NULL, SOCK_CLOEXEC);
}

static void keep_spare(struct daemon *d)
{
	d->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* It would wait for an answer, and we be told of it without end: the spare
 * descriptor is there to say no with. Another thread may have been faster. */
static void refuse_for_want(struct daemon *d, int code)
{
	struct pollfd stop = { .fd = d->stop_fd, .events = POLLIN };
	int sock;

	close_at(&d->spare_fd);
	d->spare_fd = -1;
	sock = take_call(d);
	if (sock >= 0) {
		refuse(sock, code, "the daemon has no descriptor left");
		(void)close(sock);
	} else {
		(void)poll(&stop, 1, WANT_PAUSE_MS);
	}
	keep_spare(d);
}

static void accept_one(struct daemon *d)
{
	cleanup_fd int sock = take_call(d);
	struct connection *c = NULL;
	pthread_t thread;

	if (sock < 0) {
		if (errno == EMFILE || errno == ENFILE)
			refuse_for_want(d, -errno);
		return;
	}
	if (!is_root(sock)) {
		refuse(sock, -EPERM, "only root may ask the daemon");
		return;
	}
	if (!may_connect(d)) {
		refuse(sock, -EAGAIN,
		       "the daemon has too many requests at once: try again");
		return;
	}
	c = connection_new(d, sock);
	if (!c || pthread_create(&thread, NULL, connection_main, c)) {
		free(c);
		connection_ended(d);
		log_error("cannot serve a connection: out of memory");
		return;
	}
	(void)pthread_detach(thread);
	(void)take_fd(&sock);
}

void *control_main(void *daemon)
{
	struct daemon *d = daemon;
	struct pollfd fds[2] = { { .fd = d->listen_fd, .events = POLLIN },
				 { .fd = d->stop_fd, .events = POLLIN } };

	keep_spare(d);
	while (!daemon_stopping(d))
		if (poll(fds, 2, -1) > 0 && (fds[0].revents & POLLIN))
			accept_one(d);
	return NULL;
}

void control_stop(struct daemon *d)
{
	if (d->accept_started)
		(void)pthread_join(d->accept_thread, NULL);
	d->accept_started = false;
	(void)pthread_mutex_lock(&d->lock);
	while (d->connections > 0)
		(void)pthread_cond_wait(&d->idle, &d->lock);
	(void)pthread_mutex_unlock(&d->lock);
}
