/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define V4 "127.0.0.1", "0.0.0.0"
#define V6 "::1", "::"

const struct kind kinds[N_KINDS] = {
	[TCP4] = { "tcp4", AF_INET, SOCK_STREAM, 0, V4 },
	[TCP6] = { "tcp6", AF_INET6, SOCK_STREAM, 0, V6 },
	[MPTCP4] = { "mptcp4", AF_INET, SOCK_STREAM, IPPROTO_MPTCP, V4 },
	[MPTCP6] = { "mptcp6", AF_INET6, SOCK_STREAM, IPPROTO_MPTCP, V6 },
	[UDP4] = { "udp4", AF_INET, SOCK_DGRAM, 0, V4 },
	[UDP6] = { "udp6", AF_INET6, SOCK_DGRAM, 0, V6 },
	[UDPLITE4] = { "udplite4", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, V4 },
	[UDPLITE6] = { "udplite6", AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE, V6 },
};

struct address address_of(const char *text, uint16_t port)
{
	struct address address = { 0 };

	if (strchr(text, ':')) {
		address.in6.sin6_family = AF_INET6;
		address.in6.sin6_port = htons(port);
		must(inet_pton(AF_INET6, text, &address.in6.sin6_addr) - 1,
		     text);
		address.length = sizeof(address.in6);
	} else {
		address.in.sin_family = AF_INET;
		address.in.sin_port = htons(port);
		must(inet_pton(AF_INET, text, &address.in.sin_addr) - 1, text);
		address.length = sizeof(address.in);
	}
	return address;
}

struct address any_of(const struct kind *kind, uint16_t port)
{
	return address_of(kind->any, port);
}

struct address loopback_of(const struct kind *kind, uint16_t port)
{
	return address_of(kind->loopback, port);
}

const char *port_text(uint16_t port)
{
	static char text[8];

	if (port >= EXPLICIT_PORTS_END)
		return "auto";
	if (port >= 512 && port < 1024)
		return "resv";
	snprintf(text, sizeof(text), "%u", port);
	return text;
}

static uint16_t address_port(const struct address *address)
{
	if (address->sa.sa_family == AF_INET)
		return ntohs(address->in.sin_port);
	if (address->sa.sa_family == AF_INET6)
		return ntohs(address->in6.sin6_port);
	return 0;
}

uint16_t local_port(int fd)
{
	struct address address = { .length = sizeof(address.storage) };

	if (getsockname(fd, &address.sa, &address.length))
		return 0;
	return address_port(&address);
}

static void print_local_name(int fd)
{
	struct address address = { .length = sizeof(address.storage) };
	char text[INET6_ADDRSTRLEN] = "?";

	if (getsockname(fd, &address.sa, &address.length)) {
		printf(" local=%s", strerrorname_np(errno));
		return;
	}
	if (address.sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &address.in.sin_addr, text, sizeof(text));
	else if (address.sa.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &address.in6.sin6_addr, text, sizeof(text));
	printf(" local=%d/%s/%s", address.sa.sa_family, text,
	       port_text(address_port(&address)));
}

static void print_option(int fd, int level, int option, const char *name)
{
	unsigned int value = 0;
	socklen_t length = sizeof(value);

	if (getsockopt(fd, level, option, &value, &length))
		printf(" %s=%s", name, strerrorname_np(errno));
	else
		printf(" %s=%u", name, value);
}

static const char *errno_text(int error)
{
	if (error == ERRNO_KEPT)
		return "kept";
	return error ? strerrorname_np(error) : "0";
}

void report_call(int fd, long result, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf(": %ld %s", result, errno_text(error));
	if (fd >= 0) {
		print_option(fd, SOL_SOCKET, SO_REUSEADDR, "reuseaddr");
		print_option(fd, SOL_SOCKET, SO_REUSEPORT, "reuseport");
		print_option(fd, SOL_IP, IP_LOCAL_PORT_RANGE, "range");
		print_option(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, "noport");
		print_option(fd, SOL_SOCKET, SO_ERROR, "error");
		print_local_name(fd);
	}
	printf("\n");
	fflush(stdout);
}

static void print_line(const char *prefix, const char *format,
		       va_list arguments)
{
	fputs(prefix, stdout);
	vprintf(format, arguments);
	printf("\n");
	fflush(stdout);
}

void report_text(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line("", format, arguments);
	va_end(arguments);
}

void check(bool holds, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line(holds ? "ok " : "not ok ", format, arguments);
	va_end(arguments);
}

void skip(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line("skip ", format, arguments);
	va_end(arguments);
}

int must(int result, const char *what)
{
	if (result < 0) {
		report_text("probe failed: %s: %s", what, strerror(errno));
		exit(99);
	}
	return result;
}

void install_filter(struct sock_filter *code, size_t n)
{
	struct sock_fprog program = { .len = (unsigned short)n,
				      .filter = code };

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
}

void answer_call(int number, int argument, uint32_t value, uint32_t action)
{
	const size_t at_number = offsetof(struct seccomp_data, nr);
	const size_t at = argument < 0
				  ? at_number
				  : offsetof(struct seccomp_data, args) +
					    (size_t)argument * sizeof(uint64_t);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)at_number),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)at),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			 argument < 0 ? (uint32_t)number : value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	install_filter(code, sizeof(code) / sizeof(*code));
}

int open_kind(const struct kind *kind)
{
	return must(socket(kind->family, kind->type, kind->protocol),
		    kind->name);
}

bool kind_present(const struct kind *kind)
{
	int fd = socket(kind->family, kind->type, kind->protocol);

	if (fd < 0) {
		skip("the kernel has no %s", kind->name);
		return false;
	}
	close(fd);
	return true;
}

int bind_to(int fd, struct address address)
{
	return bind(fd, &address.sa, address.length);
}

int connect_to(int fd, struct address address)
{
	return connect(fd, &address.sa, address.length);
}

ssize_t send_to(int fd, struct address address, int flags)
{
	return sendto(fd, "x", 1, flags, &address.sa, address.length);
}

int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

int close_with_reset(int fd)
{
	const struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	return close(fd);
}

int start_server(const struct kind *kind, struct address address)
{
	int fd = open_kind(kind);

	must(set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1), "SO_REUSEADDR");
	must(bind_to(fd, address), "bind of the server");
	if (kind->type == SOCK_STREAM)
		must(listen(fd, 4096), "listen of the server");
	return fd;
}

int await_connect(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLOUT };
	int error = 0;
	socklen_t length = sizeof(error);

	must(poll(&pollfd, 1, -1), "poll");
	must(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length), "SO_ERROR");
	return error;
}

void *page_end(const void *bytes, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(pages == MAP_FAILED ? -1 : 0, "mmap");
	memcpy(pages + page - size, bytes, size);
	must(mprotect(pages + page, page, PROT_NONE), "mprotect");
	must(mprotect(pages, page, PROT_READ), "mprotect");
	return pages + page - size;
}

bool range_has(const char *range, uint16_t port)
{
	while (*range) {
		char *end;
		unsigned long lo = strtoul(range, &end, 10);
		unsigned long hi = lo;

		if (*end == '-')
			hi = strtoul(end + 1, &end, 10);
		if (lo <= port && port <= hi)
			return true;
		range = *end ? end + 1 : end;
	}
	return false;
}

int range_size(const char *range)
{
	int size = 0;

	for (uint32_t port = 1; port < 65536; port++)
		size += range_has(range, (uint16_t)port);
	return size;
}

int count_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	must(folder ? 0 : -1, "/proc/self/fd");
	while (readdir(folder))
		count++;
	closedir(folder);
	return count - 3; /* ".", ".." and the folder itself */
}

int pass_to_self(int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = { 0 }, byte = 'x';
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int pair[2], copy;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	*header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(fd)),
				    .cmsg_level = SOL_SOCKET,
				    .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	must((int)sendmsg(pair[0], &message, 0), "sendmsg");
	must((int)recvmsg(pair[1], &message, 0), "recvmsg");
	memcpy(&copy, CMSG_DATA(header), sizeof(copy));
	close(pair[0]);
	close(pair[1]);
	return copy;
}

long call_unseen(long number, long first, long second, long third, long fourth,
		 long fifth)
{
#ifdef __x86_64__
	register long r10 __asm__("r10") = fourth;
	register long r8 __asm__("r8") = fifth;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(first), "S"(second), "d"(third),
			   "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
#else
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = first;
	register long x1 __asm__("x1") = second;
	register long x2 __asm__("x2") = third;
	register long x3 __asm__("x3") = fourth;
	register long x4 __asm__("x4") = fifth;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
#endif
}
