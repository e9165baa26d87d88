/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/raw.h"

#define LINE_SIZE 512

/* LOG_USER | LOG_WARNING. */
#define SYSLOG_PREFIX "<12>berth: "

static size_t append(char line[LINE_SIZE], size_t length, const char *text)
{
	while (*text != '\0' && length < LINE_SIZE - 1)
		line[length++] = *text++;
	return length;
}

static size_t compose(char line[LINE_SIZE], const char *prefix,
		      const char *const *parts)
{
	size_t length = append(line, 0, prefix);

	for (; *parts != NULL; parts++)
		length = append(line, length, *parts);
	return length;
}

void log_line(const char *const *parts)
{
	char line[LINE_SIZE];
	size_t length = compose(line, "berth: ", parts);

	line[length++] = '\n';
	raw_write(STDERR_FILENO, line, length);
}

void log_syslog(const char *const *parts)
{
	static const struct sockaddr_un daemon = { AF_UNIX, "/dev/log" };
	char line[LINE_SIZE];
	const size_t length = compose(line, SYSLOG_PREFIX, parts);
	const int fd = raw_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC |
				  SOCK_NONBLOCK, 0);

	if (fd < 0)
		return;
	raw_sendto(fd, line, length, (const struct sockaddr *)&daemon,
		   sizeof(daemon));
	raw_close(fd);
}
