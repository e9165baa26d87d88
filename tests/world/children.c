/* SPDX-License-Identifier: MIT */
/*
 * children RANGE: vfork children that close, replace and open descriptors, and
 * then exec or exit, beside a thread that goes on. A child shares its parent's
 * memory and not its descriptors: what it closes is still the parent's, in the
 * map too. Edge cases 19 and 20.
 *
 * BERTH is the command: without LD_PRELOAD, in the bare run, it is not asked.
 */
#include "probe.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPEN_PORT 7300
#define KERNEL_LO 32768 /* of in_namespace's ip_local_port_range */
#define N_KEPT 16
#define N_ROUNDS 25

static const char *range;
static int server, kept[N_KEPT], report[2];
static uint16_t ports[N_KEPT];
static _Atomic int is_over;

/* What a child does with its parent's descriptors. Nothing here may return. */

static void close_all(void)
{
	for (int i = 0; i < N_KEPT; i++)
		close(kept[i]);
}

static void close_range_all(void)
{
	close_range((unsigned int)kept[0], ~0u, 0);
}

static void close_from_all(void)
{
	closefrom(kept[0]);
}

static void replace_all(void)
{
	for (int i = 0; i < N_KEPT; i++)
		dup2(0, kept[i]);
}

static void copy_all(void)
{
	close_all();
	for (int i = 1; i < N_KEPT; i++)
		dup3(0, kept[i], O_CLOEXEC);
	fcntl(0, F_DUPFD, kept[0]);
}

static void open_others(void)
{
	struct address any = address_of("0.0.0.0", 0);

	/* These get the numbers of the parent's. */
	close_all();
	for (int i = 0; i < N_KEPT; i++)
		bind(socket(AF_INET, SOCK_STREAM, 0), &any.sa, any.length);
}

/* A pipe tells the parent which ports the child has got. */
static void send_from(bool copies)
{
	struct address open = address_of("127.0.0.1", OPEN_PORT);
	uint16_t found[N_KEPT];

	if (!copies)
		close_all();
	for (int i = 0; i < N_KEPT; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		if (copies)
			fd = dup2(fd, kept[i]);
		sendto(fd, "", 1, 0, &open.sa, open.length);
		found[i] = local_port(fd);
	}
	if (write(report[1], found, sizeof(found)) != sizeof(found))
		_exit(1);
}

static void send_from_others(void)
{
	send_from(false);
}

static void send_from_copies(void)
{
	send_from(true);
}

/* The kernel refuses: what the child has leased goes back at once. */
static void connect_in_vain(void)
{
	struct address closed = address_of("127.0.0.1", OPEN_PORT + 1);

	close_all();
	for (int i = 0; i < N_KEPT; i++)
		connect(socket(AF_INET, SOCK_STREAM, 0), &closed.sa,
			closed.length);
}

static void use_all(void)
{
	/* To listen is something that the parent sees. */
	for (int i = 0; i < N_KEPT; i++)
		listen(kept[i], 1);
}

static const struct {
	const char *name;
	void (*act)(void);
} acts[] = {
	{ "close", close_all },		 { "close_range", close_range_all },
	{ "closefrom", close_from_all }, { "dup2", replace_all },
	{ "dup3 and fcntl", copy_all },	 { "listen", use_all },
};

static int run_child(void (*act)(void), bool execs)
{
	char *const arguments[] = { (char[]){ "true" }, NULL };
	int status = -1;
	const pid_t child = vfork();

	if (child == 0) {
		act();
		if (execs)
			execvp(arguments[0], arguments);
		_exit(execs ? 127 : 0);
	}
	must(waitpid(child, &status, 0), "waitpid");
	return status;
}

/* --- the parent ----------------------------------------------------------- */

static void *go_on(void *failures)
{
	while (!is_over) {
		const int fd = open_kind(&kinds[TCP4]);
		const int copy = dup(fd);

		*(long *)failures +=
			connect_to(fd, address_of("127.0.0.1", OPEN_PORT)) != 0;
		*(long *)failures += !range_has(range, local_port(copy));
		/* No TIME_WAIT stays behind, which a sweep would find. */
		close_with_reset(accept(server, NULL, NULL));
		close(fd);
		close(copy);
	}
	return NULL;
}

/* TCP ports that the map has as one's alone, or for connects; -1 where there is
 * no map. */
static int count_ports(bool of_connects)
{
	char line[256];
	int n_whole = -1, n_connects = -1;

	if (!getenv("LD_PRELOAD"))
		return -1;

	FILE *status = popen("\"$BERTH\" status --porcelain", "re");

	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "ports\ttcp\t%*d\t%d\t%*d\t%d", &n_whole,
		       &n_connects);
	if (status)
		pclose(status);
	return of_connects ? n_connects : n_whole;
}

static void check_whole(const char *name, int wanted)
{
	const int n_whole = count_ports(false);

	if (n_whole >= 0)
		check(n_whole == wanted, "%s: the map has %d of them, not %d",
		      name, wanted, n_whole);
}

static void look(const char *name)
{
	int good = 0;

	for (int i = 0; i < N_KEPT; i++) {
		struct address here = address_of("127.0.0.1", ports[i]);
		const int fd = open_kind(&kinds[TCP4]);

		good += local_port(kept[i]) == ports[i] &&
			listen(kept[i], 1) == 0 &&
			connect(fd, &here.sa, here.length) == 0 &&
			close_with_reset(accept(kept[i], NULL, NULL)) == 0;
		close(fd);
	}
	check(good == N_KEPT, "%s: %d of %d are the parent's", name, good,
	      N_KEPT);
	check_whole(name, N_KEPT);
}

static void bind_kept(void)
{
	for (int i = 0; i < N_KEPT; i++) {
		kept[i] = open_kind(&kinds[TCP4]);
		must(bind_to(kept[i], address_of("0.0.0.0", 0)), "bind");
		ports[i] = local_port(kept[i]);
	}
}

static void close_kept(const char *name)
{
	close_all();
	check_whole(name, 0);
}

static void run_children(const char *name, void (*act)(void))
{
	int status = 0;

	for (int round = 0; round < N_ROUNDS; round++)
		status |= run_child(act, round == 0);
	check(status == 0, "%s: children end with %d", name, status);
}

/* Whether a port goes with a failed connect. A port that a child has bound
 * stays with its socket, whose end nobody sees. */
static bool is_pinned(void)
{
	const int fd = open_kind(&kinds[TCP4]);
	int pin;
	socklen_t length = sizeof(pin);
	const bool has_pin = getsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE,
					&pin, &length) == 0;

	close(fd);
	return has_pin && !getenv("BERTH_PIN") && atoi(range) >= KERNEL_LO;
}

static bool all_in_range(void)
{
	uint16_t found[N_KEPT];
	bool good = read(report[0], found, sizeof(found)) == sizeof(found);

	for (int i = 0; i < N_KEPT && good; i++)
		good = range_has(range, found[i]);
	return good;
}

int main(int argc, char **argv)
{
	pthread_t other;
	long failures = 0;

	if (argc != 2)
		return 2;
	range = argv[1];

	server = start_server(&kinds[TCP4], address_of("127.0.0.1", OPEN_PORT));
	bind_kept();
	/* What it opens lies above. */
	pthread_create(&other, NULL, go_on, &failures);

	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		run_children(acts[i].name, acts[i].act);
		look(acts[i].name);
	}
	is_over = 1;
	pthread_join(other, NULL);
	check(failures == 0, "a thread goes on: %ld failures", failures);
	close_kept("the parent's close");

	/* Without a sweep: what a child takes and gives back is none of its
	 * parent's. */
	bind_kept();
	run_children("a connect in vain", connect_in_vain);
	check(!is_pinned() || count_ports(true) <= 0, "no lease is left of it");
	look("a connect in vain");
	must(pipe2(report, O_CLOEXEC), "pipe");
	must(run_child(send_from_copies, false), "a child that sends");
	check(all_in_range(),
	      "a child's sends from copies: ports of the range");
	look("a child's sends from copies");
	must(run_child(send_from_others, false), "a child that sends");
	check(all_in_range(), "a child's sends: ports of the range");
	close_kept("the close after a child's connects");

	/* What children leave, the sweep finds; the parent's is still its own. */
	bind_kept();
	run_children("socket and bind", open_others);
	check(!getenv("LD_PRELOAD") ||
		      system("\"$BERTH\" sweep >/dev/null") == 0,
	      "a sweep");
	look("socket and bind");
	close_kept("the close after a child's socket and bind");
	close(server);
	return 0;
}
