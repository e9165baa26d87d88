/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the programs of this suite share. A driver starts each both bare and
 * with libberth.so preloaded.
 *
 * A *comparison* (play.c with its scenes, probe_process.c) prints a line for
 * each call; compare.py demands the same lines from both runs. An *assertion*
 * (assert_*.c, and play.c where it is given a range) prints its verdicts with
 * check() and skip(), and is given the configured range; verdicts.py turns them
 * into TAP.
 *
 * Ports are in host byte order. All output goes to stdout, line by line, so
 * that a probe that dies leaves what it had found.
 */

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* Every port that a comparison names is below; the others are "auto". */
#define EXPLICIT_PORTS_END 10000

/* errno before each call that is reported; a success has to leave it alone. */
#define ERRNO_KEPT 1234

/* A descriptor that no process has. */
#define FD_HUGE 0x7ffffff0

struct kind {
	const char *name;
	int family, type, protocol;
	const char *loopback, *any;
};

enum {
	TCP4,
	TCP6,
	MPTCP4,
	MPTCP6,
	UDP4,
	UDP6,
	UDPLITE4,
	UDPLITE6,
	N_KINDS,
};
extern const struct kind kinds[N_KINDS];

struct address {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	};
	socklen_t length;
};

/* text is IPv4, or IPv6 when it has a colon. */
struct address address_of(const char *text, uint16_t port);

/* The wildcard or loopback address of the kind. */
struct address any_of(const struct kind *kind, uint16_t port);
struct address loopback_of(const struct kind *kind, uint16_t port);

/* "0", "resv" (512-1023), the number, or "auto", in a static buffer. */
const char *port_text(uint16_t port);

/* The local port; 0 = none, or no socket of AF_INET or AF_INET6. */
uint16_t local_port(int fd);

/*
 * Runs the call with errno at ERRNO_KEPT and prints the name, the result, errno
 * and what the socket fd (-1 = none) looks like afterwards.
 */
#define REPORT(fd, call, ...) \
	do { \
		errno = ERRNO_KEPT; \
		long report_result = (long)(call); \
		report_call(fd, report_result, errno, __VA_ARGS__); \
	} while (0)

__attribute__((format(printf, 4, 5))) void report_call(int fd, long result,
						       int error,
						       const char *format, ...);

/* A line of its own for the comparison. */
__attribute__((format(printf, 1, 2))) void report_text(const char *format, ...);

__attribute__((format(printf, 2, 3))) void check(bool holds, const char *format,
						 ...);
__attribute__((format(printf, 1, 2))) void skip(const char *format, ...);

/* Ends the probe with status 99, and what, if result is negative. */
int must(int result, const char *what);

/* A seccomp filter of so many instructions, for good. */
struct sock_filter;
void install_filter(struct sock_filter *code, size_t n);

/* One that answers a system call with an action, where an argument, 0 to 5, has
 * a value; -1: whatever its arguments. */
void answer_call(int number, int argument, uint32_t value, uint32_t action);

/* A new socket; ends the probe when there is none. */
int open_kind(const struct kind *kind);

/* Whether the kernel has the protocol; prints a line for the driver if not. */
bool kind_present(const struct kind *kind);

/* bind() and connect() to an address; the results of these calls. */
int bind_to(int fd, struct address address);
int connect_to(int fd, struct address address);
ssize_t send_to(int fd, struct address address, int flags);

int set_int(int fd, int level, int option, int value);

/* close() by a reset, so that no TIME_WAIT keeps the port. */
int close_with_reset(int fd);

/* A listening or receiving socket on an explicit port. */
int start_server(const struct kind *kind, struct address address);

/* Waits until a nonblocking connect has ended; returns its SO_ERROR. */
int await_connect(int fd);

/* Sends a descriptor to this process itself, by SCM_RIGHTS. Returns the copy. */
int pass_to_self(int fd);

/* size bytes, read-only, that end at an unmapped page. */
void *page_end(const void *bytes, size_t size);

/* Whether port lies in the list "lo-hi,port,...", and how many do. */
bool range_has(const char *range, uint16_t port);
int range_size(const char *range);

/* A system call that no hook sees; returns what the kernel does. */
long call_unseen(long number, long first, long second, long third, long fourth,
		 long fifth);

/* How many descriptors this process has open. */
int count_fds(void);
