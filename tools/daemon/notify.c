/* SPDX-License-Identifier: EUPL-1.2 */
/* Tells the supervisor that the mount answers: sd_notify(3)'s protocol, which
 * is one datagram. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fs/base/log.h"
#include "tools/daemon/internal.h"

void notify_ready(void)
{
	static const char text[] = "READY=1";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets any */
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	cleanup_fd int sock = -1;

	if (len == 0)
		return;
	if (len >= sizeof(addr.sun_path)) {
		log_warn("NOTIFY_SOCKET is too long");
		return;
	}
	memcpy(addr.sun_path, path, len);
	if (path[0] == '@') /* of the abstract namespace */
		addr.sun_path[0] = '\0';
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 ||
	    sendto(sock, text, sizeof(text) - 1, MSG_NOSIGNAL,
		   (const struct sockaddr *)&addr,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) <
		    0)
		log_warn("cannot tell the supervisor that the mount answers: "
			 "%s",
			 strerrordesc_np(errno));
}
