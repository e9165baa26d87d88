/* SPDX-License-Identifier: MIT */

/*
 * A program that uses sockets at random until it is killed: stress_storm.py
 * starts some under libberth.so.
 *
 *     storm_worker SLOT SEED LO HI AGAIN SERVER-PORT...
 *
 * With AGAIN not 0 it connects a socket that was refused to another place.
 * Nothing fails but for a reason that it counts, by call and errno.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "probe.h"
#include "storm.h"

#define N_HELD 12
#define MAX_SURVIVORS 12u
/* Nobody listens there. */
#define DEAD_TCP_PORT 9
#define DEAD_UDP_PORT 10

static struct storm_page *page;
static unsigned int slot, seed, lo, hi;
static char **arguments, **servers;
static int n_servers;
static int held[N_HELD];
static int n_held;
static bool connects_again;
static bool is_child; /* it ends soon, and has no children */

static unsigned int random_below(unsigned int n)
{
	return (unsigned int)rand_r(&seed) / 7 % n;
}

static bool chance(unsigned int percent)
{
	return random_below(100) < percent;
}

/* Counts a failure. Returns whether the call went well. */
static bool went_well(enum storm_call call, long result)
{
	if (result >= 0)
		return true;
	atomic_fetch_add(&page->errors[call][errno % STORM_ERRNOS], 1);
	return false;
}

/* --- addresses ------------------------------------------------------------ */

static const char *loopback(int family)
{
	if (family == AF_INET6)
		return "::1";
	return chance(50) ? "127.0.0.1" : "127.0.0.2";
}

static uint16_t server_port(void)
{
	return (uint16_t)atoi(servers[random_below((unsigned int)n_servers)]);
}

/* A port that was assigned lies in the range; 0 = none was. */
static void look_at_port(int fd)
{
	const unsigned int port = local_port(fd);

	atomic_fetch_add(&page->n_ports, 1);
	if (port == 0 || (port >= lo && port <= hi))
		return;
	atomic_fetch_add(&page->n_outside, 1);
	atomic_store(&page->outside, port);
}

/* --- sockets -------------------------------------------------------------- */

static int open_socket(int family, int type)
{
	const int flags = chance(50) ? SOCK_CLOEXEC : 0;
	const int fd = socket(family, type | flags, 0);

	went_well(STORM_OTHER, fd);
	return fd;
}

static int random_family(void)
{
	return chance(60) ? AF_INET : AF_INET6;
}

static void hold(int fd)
{
	held[n_held++] = fd;
}

static int take_held(void)
{
	const unsigned int at = random_below((unsigned int)n_held);
	const int fd = held[at];

	held[at] = held[--n_held];
	return fd;
}

static void keep_or_close(int fd, bool good)
{
	if (good) {
		look_at_port(fd);
		hold(fd);
	} else {
		close(fd);
	}
}

static void do_bind(void)
{
	const int family = random_family();
	const int type = chance(50) ? SOCK_STREAM : SOCK_DGRAM;
	const int fd = open_socket(family, type);
	const char *any = family == AF_INET ? "0.0.0.0" : "::";
	const struct address address =
		address_of(chance(60) ? any : loopback(family), 0);
	bool good;

	if (chance(30))
		set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (chance(20))
		set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	good = went_well(STORM_BIND, bind_to(fd, address));
	if (good && type == SOCK_STREAM && chance(50))
		good = went_well(STORM_LISTEN, listen(fd, 5));
	keep_or_close(fd, good);
}

static void do_listen(void)
{
	const int fd = open_socket(random_family(), SOCK_STREAM);

	keep_or_close(fd, went_well(STORM_LISTEN, listen(fd, 5)));
}

/* Closed by a reset: TIME_WAIT would use the range up, for the kernel too. */
static void reset_at_end(int fd)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	if (!chance(3))
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void do_connect(void)
{
	const int family = random_family();
	const int fd = open_socket(family, SOCK_STREAM);
	const char *to = family == AF_INET ? "127.0.0.1" : "::1";
	const struct address local = address_of(loopback(family), 0);
	const struct address dead = address_of(to, DEAD_TCP_PORT);
	const struct address server = address_of(to, server_port());
	enum storm_call call = STORM_CONNECT;
	bool good = true;
	int result;

	reset_at_end(fd);
	if (chance(15))
		good = went_well(STORM_BIND, bind_to(fd, local));
	if (good && connects_again && chance(15)) {
		went_well(call, connect_to(fd, dead));
		call = STORM_CONNECT_AGAIN;
	}
	if (chance(30))
		fcntl(fd, F_SETFL, O_NONBLOCK);
	result = good ? connect_to(fd, server) : -1;
	if (good && (result == 0 || errno != EINPROGRESS))
		good = went_well(call, result);
	keep_or_close(fd, good);
}

static void do_datagram(void)
{
	const int family = random_family();
	const int fd = open_socket(family, SOCK_DGRAM);
	const struct address remote = address_of(
		family == AF_INET ? "127.0.0.1" : "::1", DEAD_UDP_PORT);
	bool good;

	if (chance(50))
		good = went_well(STORM_UDP_CONNECT, connect_to(fd, remote));
	else
		good = went_well(STORM_SENDTO, send_to(fd, remote, 0));
	keep_or_close(fd, good);
}

/* --- descriptors ---------------------------------------------------------- */

static void do_dup(void)
{
	const int fd = take_held();
	int copy;

	switch (random_below(3)) {
	case 0: copy = fcntl(fd, F_DUPFD, STORM_FD_FIRST); break;
	case 1: copy = fcntl(fd, F_DUPFD_CLOEXEC, STORM_FD_FIRST + 20); break;
	default: copy = dup2(fd, STORM_FD_FIRST + 40 + n_held);
	}
	close(copy == fd ? -1 : fd);
	hold(copy);
}

static void do_close(void)
{
	const int fd = take_held();

	switch (random_below(5)) {
	case 0: close_range((unsigned int)fd, (unsigned int)fd, 0); break;
	case 1: {
		FILE *stream = fdopen(fd, "r+");

		if (stream != NULL)
			fclose(stream);
		break;
	}
	case 2:
		/* By what takes its place. */
		dup2(STORM_FD_PAGE, fd);
		close(fd);
		break;
	default: close(fd);
	}
}

/* To the keeper, which has no Berth. */
static void do_pass(void)
{
	const int fd = take_held();
	char control[CMSG_SPACE(sizeof(fd))] = { 0 };
	char text[] = "x";
	struct iovec byte = { text, 1 };
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	sendmsg(STORM_FD_KEEPER, &message, MSG_DONTWAIT);
	close(fd);
}

/* --- processes ------------------------------------------------------------ */

static void step(void);

static void live_on(void)
{
	char byte;

	if (atomic_fetch_add(&page->n_survivors, 1) < MAX_SURVIVORS)
		while (read(STORM_FD_LIFE, &byte, 1) != 0)
			;
	_exit(0);
}

static void be_child(void)
{
	seed ^= (unsigned int)getpid();
	is_child = true;
	switch (random_below(5)) {
	case 0: exit(0);
	case 1: close_range(STORM_FD_FIRST, ~0u, 0); _exit(0);
	case 2: live_on(); break;
	case 3:
		for (unsigned int i = random_below(10); i > 0; i--)
			step();
		raise(SIGKILL);
		break;
	default:
		while (n_held > 0)
			do_close();
		_exit(0);
	}
}

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void do_fork(void)
{
	const pid_t pid = fork();

	if (pid == 0)
		be_child();
	reap();
}

static void do_vfork(void)
{
	const pid_t pid = vfork();

	if (pid == 0) {
		if (n_held > 0)
			close(held[0]);
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

/* Its sockets are closed by that, or left behind as nobody's. */
static void do_exec(void)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", seed);
	arguments[2] = text;
	execv("/proc/self/exe", arguments);
}

static void step(void)
{
	const unsigned int what = random_below(1000);

	atomic_fetch_add(&page->n_steps[slot], 1);
	if (n_held == N_HELD || (n_held > 0 && what < 380))
		do_close();
	else if (n_held > 0 && what < 420)
		do_dup();
	else if (n_held > 0 && what < 440)
		do_pass();
	else if (!is_child && what < 455)
		do_fork();
	else if (!is_child && what < 460)
		do_vfork();
	else if (!is_child && what < 463)
		do_exec();
	else if (what < 650)
		do_bind();
	else if (what < 700)
		do_listen();
	else if (what < 880)
		do_connect();
	else
		do_datagram();
}

int main(int argc, char *argv[])
{
	if (argc < 7)
		return 2;
	arguments = argv;
	slot = (unsigned int)atoi(argv[1]) % STORM_SLOTS;
	seed = (unsigned int)strtoul(argv[2], NULL, 10);
	lo = (unsigned int)atoi(argv[3]);
	hi = (unsigned int)atoi(argv[4]);
	connects_again = atoi(argv[5]) != 0;
	servers = argv + 6;
	n_servers = argc - 6;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED,
		    STORM_FD_PAGE, 0);
	if (page == MAP_FAILED)
		return 99;
	/* What an exec has left open. */
	close_range(STORM_FD_FIRST, ~0u, 0);
	while (fcntl(STORM_FD_PAGE, F_DUPFD, 0) < STORM_FD_FIRST)
		;
	for (;;)
		step();
}
