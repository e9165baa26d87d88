/* SPDX-License-Identifier: MIT */
/*
 * surroundings RANGE [CHANGE [FOLDER]]: what a program sees of the machine is
 * taken from it while it runs; before and afterwards each call that assigns a
 * port assigns one of the range. Edge case 25.
 *
 * Then it prints "ports N PORT..." with those that it holds from afterwards and
 * waits for a line, so that the driver can look for them in the map.
 */
#include "probe.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define OPEN_PORT 7000
#define CLOSED_PORT 7001
#define NOBODY 65534
#define MAX_PORTS 16
#define FEW 64		/* descriptors */

static const char *range;
static const char *folder;
static uint16_t ports[MAX_PORTS];
static int n_ports;

/* --- changes ---------------------------------------------------------------------- */

static void change_root(void)
{
	must(chroot(folder), "chroot");
	must(chdir("/"), "chdir");
}

static void change_user(void)
{
	must(setresgid(NOBODY, NOBODY, NOBODY), "setresgid");
	must(setresuid(NOBODY, NOBODY, NOBODY), "setresuid");
}

static void take_proc(void)
{
	must(umount2("/proc", MNT_DETACH), "umount of /proc");
}

static void take_folder(void)
{
	must(umount2(folder, MNT_DETACH), "umount of Berth's folder");
}

/* All that there are up to FEW. */
static void use_up_descriptors(void)
{
	const struct rlimit few = { FEW, FEW };
	int fd;

	must(setrlimit(RLIMIT_NOFILE, &few), "setrlimit");
	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0);
}

static void take_descriptors(void)
{
	use_up_descriptors();
	for (int fd = FEW - 3; fd < FEW; fd++)
		close(fd);
}

/* Beyond all that there could be when it started. */
static void give_descriptors(void)
{
	const struct rlimit more = { 2 * FEW, 2 * FEW };

	use_up_descriptors();
	if (setrlimit(RLIMIT_NOFILE, &more) == 0)
		return;
	skip("no capability to raise a limit");
	exit(0);
}

static void take_memory(void)
{
	const struct rlimit none = { 0, 0 };

	must(setrlimit(RLIMIT_AS, &none), "setrlimit");
}

static const struct {
	const char *name;
	void (*make)(void);
} changes[] = {
	{ "chroot", change_root }, { "setuid", change_user },
	{ "no /proc", take_proc }, { "no folder", take_folder },
	{ "no descriptors", take_descriptors },
	{ "more descriptors", give_descriptors }, { "no memory", take_memory },
};

static void make_change(const char *name)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (strcmp(changes[i].name, name) == 0) {
			changes[i].make();
			return;
		}
	exit(2);
}

/* --- calls ------------------------------------------------------------------------- */

static int call_bind(const struct kind *kind, int fd)
{
	return bind_to(fd, any_of(kind, 0));
}

static int call_connect(const struct kind *kind, int fd)
{
	return connect_to(fd, loopback_of(kind, OPEN_PORT));
}

static int call_listen(const struct kind *kind, int fd)
{
	(void)kind;
	return listen(fd, 1);
}

static int call_send(const struct kind *kind, int fd)
{
	return (int)send_to(fd, loopback_of(kind, OPEN_PORT), 0);
}

static const struct {
	const char *name;
	int kind;
	int (*make)(const struct kind *kind, int fd);
} calls[] = {
	{ "bind", TCP4, call_bind }, { "connect", TCP4, call_connect },
	{ "listen", TCP4, call_listen }, { "bind", UDP4, call_bind },
	{ "connect", UDP4, call_connect }, { "send", UDP4, call_send },
	{ "bind", TCP6, call_bind }, { "connect", TCP6, call_connect },
};
#define N_CALLS ((int)(sizeof(calls) / sizeof(calls[0])))

static void connect_in_vain(const char *when)
{
	const int fd = open_kind(&kinds[TCP4]);

	check(connect_to(fd, loopback_of(&kinds[TCP4], CLOSED_PORT)) < 0 &&
	      errno == ECONNREFUSED, "%s, a connect is refused", when);
	/* Its lease goes with the failure. */
	if (fd < FEW)
		close(fd);
}

/* Where no three sockets can be had, one at a time. */
static void make_calls(const char *when, bool keep)
{
	for (int i = 0; i < N_CALLS; i++) {
		const struct kind *kind = &kinds[calls[i].kind];
		const int fd = open_kind(kind);
		const int result = calls[i].make(kind, fd);
		const uint16_t port = local_port(fd);

		check(result >= 0, "%s, %s %s succeeds", when, kind->name,
		      calls[i].name);
		check(range_has(range, port), "%s, %s %s: a port of the range",
		      when, kind->name, calls[i].name);
		if (keep)
			ports[n_ports++] = port;
		else
			close(fd);
	}
	connect_in_vain(when);
}

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 4)
		return 2;
	range = argv[1];
	folder = argc > 3 ? argv[3] : NULL;

	const char *const change = argc > 2 ? argv[2] : "nothing";
	/* A SIGBUS or a hang would be Berth's. */
	start_server(&kinds[TCP4], loopback_of(&kinds[TCP4], OPEN_PORT));
	start_server(&kinds[TCP6], loopback_of(&kinds[TCP6], OPEN_PORT));

	if (argc > 2) {
		make_calls("before", false);
		make_change(change);
	}
	make_calls(change, strcmp(change, "no descriptors") != 0);

	printf("ports %d", n_ports);
	for (int i = 0; i < n_ports; i++)
		printf(" %u", ports[i]);
	printf("\n");
	fflush(stdout);
	return getchar() == EOF;
}
