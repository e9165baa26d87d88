/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "base/raw.h"
#include "base/standard_error.h"

/* LOG_USER | LOG_WARNING. */
#define SYSLOG_PREFIX "<12>berth: "

/* The prefix and the newline beside the parts. */
#define N_PIECES (LOG_PARTS_MAX + 2)

static struct iovec piece(const char *text)
{
	return (struct iovec){ (char *)text, strlen(text) };
}

/* Returns how many pieces there are. */
static size_t compose(struct iovec pieces[N_PIECES], const char *prefix,
		      const char *const *parts)
{
	size_t n = 0;

	pieces[n++] = piece(prefix);
	for (; *parts != NULL && n <= LOG_PARTS_MAX; parts++)
		pieces[n++] = piece(*parts);
	return n;
}

/*
 * Not inlined: the pieces are not on the stack while standard_error_is() runs.
 */
__attribute__((noinline)) static void
write_line(const struct standard_error *noted, const char *const *parts)
{
	struct iovec pieces[N_PIECES];
	size_t n = compose(pieces, "berth: ", parts);

	pieces[n++] = piece("\n");
	standard_error_write(noted, pieces, n);
}

void log_line(const struct standard_error *noted, const char *const *parts)
{
	if (standard_error_is(noted))
		write_line(noted, parts);
}

void log_syslog(const char *const *parts)
{
	static const struct sockaddr_un daemon = { AF_UNIX, "/dev/log" };
	struct iovec pieces[N_PIECES];
	const struct msghdr message = {
		.msg_name = (void *)&daemon,
		.msg_namelen = sizeof(daemon),
		.msg_iov = pieces,
		.msg_iovlen = compose(pieces, SYSLOG_PREFIX, parts),
	};
	const int fd = raw_socket(AF_UNIX,
				  SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return;
	raw_call(SYS_sendmsg, fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	raw_close(fd);
}
