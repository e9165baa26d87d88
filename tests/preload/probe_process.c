/* SPDX-License-Identifier: MIT */
/*
 * Children, threads and handlers look the same with and without Berth. Edge
 * cases 17, 20 and 23.
 */
#include "probe.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPEN_PORT 6000
#define N_THREADS 8
#define N_ROUNDS 100

static int server;

static int new_stream(void)
{
	return open_kind(&kinds[TCP4]);
}

static struct address peer(void)
{
	return address_of("127.0.0.1", OPEN_PORT);
}

static void wait_for(pid_t child, const char *name)
{
	int status = -1;

	must(waitpid(child, &status, 0), "waitpid");
	report_text("%s: status %d", name, status);
}

/* Edge case 20: the child shares memory, but not descriptors. */
static void vfork_child(void)
{
	int bound = new_stream(), fresh = new_stream();

	REPORT(bound, bind_to(bound, address_of("127.0.0.1", 0)), "bind");
	pid_t child = vfork();
	if (child == 0) {
		close(bound);
		close(fresh);
		dup2(server, bound);
		_exit(connect_to(socket(AF_INET, SOCK_STREAM, 0), peer()));
	}
	must(child, "vfork");
	wait_for(child, "vfork");
	REPORT(bound, listen(bound, 1), "listen after vfork");
	REPORT(fresh, connect_to(fresh, peer()), "connect after vfork");
	REPORT(fresh, bind_to(fresh, peer()), "bind after vfork");
	close(bound);
	close(fresh);
}

/* Edge case 17: posix_spawn closes behind the hooks. */
static void spawn_child(void)
{
	char *const arguments[] = { (char[]){ "true" }, NULL };
	posix_spawn_file_actions_t actions;
	int fd = new_stream();
	pid_t child;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addclose(&actions, fd);
	posix_spawn_file_actions_adddup2(&actions, server, fd + 1);
	int error = posix_spawnp(&child, "true", &actions, NULL, arguments,
				 environ);
	report_text("posix_spawn: %d", error);
	wait_for(child, "spawn");
	REPORT(fd, connect_to(fd, peer()), "connect after spawn");
	posix_spawn_file_actions_destroy(&actions);
	close(fd);
}

static void *thread_main(void *argument)
{
	long failures = 0;

	(void)argument;
	for (int round = 0; round < N_ROUNDS; round++) {
		int fd = new_stream();

		errno = ERRNO_KEPT;
		if (round & 1)
			failures += connect_to(fd, peer()) != 0;
		else
			failures += bind_to(fd, address_of("0.0.0.0", 0)) != 0;
		failures += errno != ERRNO_KEPT;
		failures += local_port(fd) == 0;
		close(fd);
	}
	return (void *)failures;
}

static void threads(void)
{
	pthread_t ids[N_THREADS];

	for (int i = 0; i < N_THREADS; i++)
		must(-pthread_create(&ids[i], NULL, thread_main, NULL),
		     "thread");
	for (int i = 0; i < N_THREADS; i++) {
		void *failures;

		pthread_join(ids[i], &failures);
		report_text("thread %d: %ld failures", i, (long)failures);
	}
}

static volatile sig_atomic_t handler_result = -2;

static void connect_in_handler(int number)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)number;
	handler_result = connect_to(fd, peer());
	close(fd);
}

static void handler(void)
{
	signal(SIGUSR1, connect_in_handler);
	REPORT(-1, raise(SIGUSR1), "raise");
	report_text("connect in a handler: %d", (int)handler_result);
}

/* All six arguments of syscall(2) arrive. */
static void six_arguments(void)
{
	char bytes[4096] = { 0 };
	int ends[2];
	loff_t offset = 0;

	REPORT(-1, syscall(SYS_getpid) == getpid(), "SYS_getpid");
	must(pipe(ends), "pipe");
	int file = must(open("/proc/self/exe", O_RDONLY), "exe");
	REPORT(-1, syscall(SYS_splice, file, &offset, ends[1], NULL, 16UL, 0U),
	       "SYS_splice");
	REPORT(-1, read(ends[0], bytes, sizeof(bytes)), "read");
	report_text("%.3s, offset %ld", bytes + 1, (long)offset);
	close(file);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	server = start_server(&kinds[TCP4], peer());
	vfork_child();
	spawn_child();
	threads();
	handler();
	six_arguments();
	return 0;
}
