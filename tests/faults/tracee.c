/* SPDX-License-Identifier: MIT */
#include "tracee.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | \
	 PTRACE_O_TRACEFORK | PTRACE_O_EXITKILL)

/* A return address is on top, or behind what a function of libc has pushed. */
#define STACK_WORDS 24

/* One run. */
struct tracing {
	struct tracee *tracee;
	const struct fault *fault;
	struct outcome *outcome;
	pid_t pid;		/* of the program that is looked at, 0 = none yet */
	bool maps_moved;	/* executable memory was mapped since */
	bool counts;		/* within the span */
	bool over;		/* nothing more is to be looked at */
	bool at_exit_of_fault;	/* its result is replaced when it returns */
	uint64_t kept_size;	/* the program's own, of a short call */
	pid_t released;		/* a child of its own that goes its own way */
	int n_execs;
	int n_alike;		/* calls of the fault's kind so far */
};

static int must(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(99);
	}
	return result;
}

/* --- the child ---------------------------------------------------------------- */

static void become_program(const struct tracee *tracee, const int output[2],
			   const int errors[2])
{
	const int input = open("/dev/null", O_RDONLY);

	dup2(input, STDIN_FILENO);
	dup2(output[1], STDOUT_FILENO);
	dup2(errors[1], STDERR_FILENO);
	close_range(3, ~0u, 0);
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0)
		_exit(77);
	raise(SIGSTOP);
	execve(tracee->argv[0], (char *const *)tracee->argv,
	       (char *const *)tracee->environment);
	_exit(127);
}

/* Returns the child, which has stopped before its exec. */
static pid_t start(struct tracee *tracee)
{
	int output[2], errors[2];
	int status;

	must(pipe2(output, O_CLOEXEC), "pipe");
	must(pipe2(errors, O_CLOEXEC), "pipe");

	const pid_t pid = must(fork(), "fork");

	if (pid == 0)
		become_program(tracee, output, errors);
	close(output[1]);
	close(errors[1]);
	tracee->output_fd = output[0];
	tracee->error_fd = errors[0];
	must(waitpid(pid, &status, 0), "waitpid");
	if (!WIFSTOPPED(status))
		return 0;
	must((int)ptrace(PTRACE_SETOPTIONS, pid, 0, OPTIONS),
	     "PTRACE_SETOPTIONS");
	must((int)ptrace(PTRACE_CONT, pid, 0, 0), "PTRACE_CONT");
	return pid;
}

/* --- where calls come from ------------------------------------------------------ */

/* Takes the executable part of a file from a line of /proc/PID/maps. */
static void take_range(const char *line, const char *name,
		       struct memory_range *rangep)
{
	unsigned long lo, hi;
	char permissions[5];
	const size_t length = strcspn(line, "\n");
	const size_t n = strlen(name);

	if (length > n && memcmp(line + length - n, name, n) == 0 &&
	    sscanf(line, "%lx-%lx %4s", &lo, &hi, permissions) == 3 &&
	    permissions[2] == 'x')
		*rangep = (struct memory_range){ lo, hi };
}

static void read_maps(struct tracee *tracee, pid_t pid)
{
	char path[32], line[4096];

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);

	FILE *maps = fopen(path, "re");

	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
		take_range(line, tracee->text, &tracee->range);
		take_range(line, "/ld-linux-x86-64.so.2", &tracee->loader);
	}
	if (maps != NULL)
		fclose(maps);
}

static bool is_within(const struct memory_range *range, uint64_t address)
{
	return address >= range->lo && address < range->hi;
}

static bool is_called_from_text(const struct tracing *tracing, uint64_t stack)
{
	uint64_t words[STACK_WORDS] = { 0 };
	const struct iovec here = { words, sizeof(words) };
	const struct iovec there = { (void *)stack, sizeof(words) };

	if (process_vm_readv(tracing->pid, &here, 1, &there, 1, 0) < 0)
		return false;
	for (int i = 0; i < STACK_WORDS; i++)
		if (is_within(&tracing->tracee->range, words[i]))
			return true;
	return false;
}

/* The calls of which Berth has a hook. */
static bool is_hooked(long number)
{
	static const long hooked[] = {
#define SYSTEM_CALL(result, name, parameters, words, arguments) SYS_##name,
#define LIBC_CALL(result, name, parameters)
#define LIBC_ALIAS(name)
#include "preload/hooks.def"
		SYS_fcntl, SYS_prctl, SYS_seccomp,
	};

	for (size_t i = 0; i < sizeof(hooked) / sizeof(hooked[0]); i++)
		if (hooked[i] == number)
			return true;
	return false;
}

static enum origin origin_of(const struct tracing *tracing,
			     const struct __ptrace_syscall_info *info)
{
	const struct tracee *tracee = tracing->tracee;

	if (is_within(&tracee->range, info->instruction_pointer))
		return ORIGIN_BERTH;
	if (tracee->range.hi == 0 ||
	    is_within(&tracee->loader, info->instruction_pointer) ||
	    !is_called_from_text(tracing, info->stack_pointer))
		return ORIGIN_OTHER;
	return is_hooked((long)info->entry.nr) ? ORIGIN_PASSED_ON
					       : ORIGIN_BERTH;
}

/* Of berth itself, all that comes after its first. */
static bool is_counted(struct tracing *tracing,
		       const struct __ptrace_syscall_info *info,
		       enum origin *originp)
{
	*originp = origin_of(tracing, info);
	if (tracing->tracee->span != SPAN_COMMAND)
		return tracing->counts && *originp != ORIGIN_OTHER;
	if (*originp != ORIGIN_OTHER)
		tracing->counts = true;
	*originp = ORIGIN_BERTH;
	return tracing->counts;
}

/* --- the fault ------------------------------------------------------------------ */

static uint64_t *argument_of(struct user_regs_struct *registers, int number)
{
	switch (number) {
	case 0: return (uint64_t *)&registers->rdi;
	case 1: return (uint64_t *)&registers->rsi;
	case 2: return (uint64_t *)&registers->rdx;
	case 3: return (uint64_t *)&registers->r10;
	case 4: return (uint64_t *)&registers->r8;
	default: return (uint64_t *)&registers->r9;
	}
}

static struct user_regs_struct get_registers(const struct tracing *tracing)
{
	struct user_regs_struct registers;

	must((int)ptrace(PTRACE_GETREGS, tracing->pid, 0, &registers),
	     "PTRACE_GETREGS");
	return registers;
}

static void set_registers(const struct tracing *tracing,
			  struct user_regs_struct *registers)
{
	must((int)ptrace(PTRACE_SETREGS, tracing->pid, 0, registers),
	     "PTRACE_SETREGS");
}

/* At the entry: the call is left out, or shortened. */
static void inject(struct tracing *tracing, long number)
{
	const struct fault *fault = tracing->fault;
	struct user_regs_struct registers = get_registers(tracing);

	if (fault->error == 0) {
		uint64_t *sizep = argument_of(&registers,
					      fault->size_argument);

		tracing->kept_size = *sizep;
		*sizep = (*sizep + 1) / 2;
		set_registers(tracing, &registers);
	} else if (number != SYS_close) {
		/* close(2): the descriptor is gone, whatever it returns. */
		registers.orig_rax = ~0ull;
		set_registers(tracing, &registers);
	}
	tracing->at_exit_of_fault = true;
}

static void end_fault(struct tracing *tracing)
{
	const struct fault *fault = tracing->fault;
	struct user_regs_struct registers = get_registers(tracing);

	if (fault->error == 0)
		*argument_of(&registers, fault->size_argument) =
			tracing->kept_size;
	else
		registers.rax = (unsigned long long)-(long long)fault->error;
	set_registers(tracing, &registers);
	tracing->at_exit_of_fault = false;
	if (!fault->always)
		tracing->over = true;
}

/* Counts a call of the fault's kind; returns whether it is to fail. */
static bool is_to_fail(struct tracing *tracing, const struct traced_call *call)
{
	const struct fault *fault = tracing->fault;

	if (fault->nth == 0 || call->number != fault->call.number ||
	    call->origin != fault->call.origin)
		return false;
	tracing->n_alike++;
	return tracing->n_alike == fault->nth ||
	       (fault->always && tracing->n_alike > fault->nth);
}

/* --- its stops -------------------------------------------------------------------- */

static void note_call(struct tracing *tracing,
		      const struct __ptrace_syscall_info *info,
		      enum origin origin)
{
	struct outcome *outcome = tracing->outcome;
	const struct traced_call call = { (long)info->entry.nr, origin };

	if (is_to_fail(tracing, &call)) {
		outcome->injected = true;
		inject(tracing, call.number);
	}
	if (outcome->n_calls < TRACEE_MAX_CALLS)
		outcome->calls[outcome->n_calls++] = call;
}

/*
 * The target's own write of its lines, which Berth never makes. Asked first: an
 * address of Berth's that an earlier call has left on the stack would make it one
 * of Berth's, and with it all that comes after.
 */
static bool is_end_of_pass(const struct tracing *tracing,
			   const struct __ptrace_syscall_info *info)
{
	return tracing->tracee->span == SPAN_PASS && tracing->counts &&
	       info->entry.nr == SYS_write &&
	       info->entry.args[0] == STDOUT_FILENO;
}

static void enter(struct tracing *tracing,
		  const struct __ptrace_syscall_info *info)
{
	enum origin origin;

	if (tracing->maps_moved)
		read_maps(tracing->tracee, tracing->pid);
	tracing->maps_moved = false;
	if (info->entry.nr == SYS_mmap && (info->entry.args[2] & PROT_EXEC))
		tracing->maps_moved = true;
	if (is_end_of_pass(tracing, info))
		tracing->over = true;
	else if (is_counted(tracing, info, &origin))
		note_call(tracing, info, origin);
}

static void stop_at_call(struct tracing *tracing)
{
	struct __ptrace_syscall_info info;

	must((int)ptrace(PTRACE_GET_SYSCALL_INFO, tracing->pid, sizeof(info),
			 &info), "PTRACE_GET_SYSCALL_INFO");
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY && !tracing->over)
		enter(tracing, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT &&
		 tracing->at_exit_of_fault)
		end_fault(tracing);
}

static int compare_numbers(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void list_fds(struct tracing *tracing)
{
	char *text = tracing->outcome->fds;
	char path[32];
	int numbers[64], n = 0;
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/fd", tracing->pid);

	DIR *folder = opendir(path);

	while (folder != NULL && (entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.' && n < 64)
			numbers[n++] = (int)strtol(entry->d_name, NULL, 10);
	if (folder != NULL)
		closedir(folder);
	qsort(numbers, (size_t)n, sizeof(numbers[0]), compare_numbers);
	for (int i = 0; i < n; i++)
		text += snprintf(text, 8, "%s%d", i == 0 ? "" : " ",
				 numbers[i]);
}

static void stop_at_exec(struct tracing *tracing)
{
	tracing->n_execs++;
	tracing->tracee->range = tracing->tracee->loader =
		(struct memory_range){ 0 };
	tracing->maps_moved = true;
	if (tracing->n_execs > 1) {
		tracing->over = true;
		return;
	}
	tracing->counts = tracing->tracee->span == SPAN_START;
}

static void release(struct tracing *tracing, pid_t child)
{
	ptrace(PTRACE_DETACH, child, 0, 0);
	tracing->released = child;
}

/* A child begins with a stop, which may have been seen before its parent's. It is
 * waited for here: its parent may end before the next look. */
static void stop_at_fork(struct tracing *tracing)
{
	unsigned long child = 0;
	int status;

	ptrace(PTRACE_GETEVENTMSG, tracing->pid, 0, &child);
	if ((pid_t)child != tracing->released &&
	    waitpid((pid_t)child, &status, __WALL) == (pid_t)child &&
	    WIFSTOPPED(status))
		release(tracing, (pid_t)child);
}

/* Returns the signal that the program is to have. */
static int stop_at_signal(struct tracing *tracing, int signal)
{
	if (signal != SIGSTOP)
		return signal;
	/* target is ready. */
	if (tracing->tracee->span == SPAN_START)
		tracing->over = true;
	return 0;
}

static void go_on(const struct tracing *tracing, int signal)
{
	const bool looks = tracing->n_execs > 0 && !tracing->over;

	/* The kernel takes the signal as a word. */
	ptrace(looks ? PTRACE_SYSCALL : PTRACE_CONT, tracing->pid, 0,
	       (void *)(long)signal);
}

/* Returns false when it has ended. */
static bool look(struct tracing *tracing, int status)
{
	int signal = 0;

	if (!WIFSTOPPED(status)) {
		tracing->outcome->status = status;
		return false;
	}
	if (WSTOPSIG(status) == (SIGTRAP | 0x80))
		stop_at_call(tracing);
	else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8))
		list_fds(tracing);
	else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
		stop_at_exec(tracing);
	else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_FORK << 8))
		stop_at_fork(tracing);
	else
		signal = stop_at_signal(tracing, WSTOPSIG(status));
	go_on(tracing, signal);
	return true;
}

static volatile sig_atomic_t is_late;

static void ring(int signal)
{
	(void)signal;
	is_late = true;
}

/* Waits for the next stop or end, of anyone; kills who hangs. */
static pid_t wait_for(struct tracing *tracing, int *statusp)
{
	pid_t pid;

	do {
		if (is_late && tracing->pid != 0) {
			tracing->outcome->hung = true;
			kill(tracing->pid, SIGKILL);
		}
		pid = waitpid(-1, statusp, __WALL);
		if (pid < 0 && errno != EINTR)
			must(-1, "waitpid");
	} while (pid < 0);
	return pid;
}

static void watch(struct tracing *tracing)
{
	const pid_t program = tracing->pid;
	bool lives = true;
	int status;

	while (lives) {
		const pid_t pid = wait_for(tracing, &status);

		if (pid == program)
			lives = look(tracing, status);
		else if (WIFSTOPPED(status))
			release(tracing, pid);
	}
}

/* --- a target that serves ----------------------------------------------------- */

static bool is_stop(int status, int signal)
{
	return WIFSTOPPED(status) && status >> 8 == signal;
}

/* Lets it come to where it is ready. */
static void await_ready(struct tracing *tracing)
{
	struct tracee *tracee = tracing->tracee;
	int status;

	tracing->pid = tracee->server;
	while (wait_for(tracing, &status), !is_stop(status, SIGSTOP)) {
		if (!WIFSTOPPED(status)) {
			fprintf(stderr, "%s: it does not serve\n",
				tracee->argv[0]);
			exit(99);
		}
		ptrace(PTRACE_CONT, tracee->server, 0, 0);
	}
	read_maps(tracee, tracee->server);
	tracing->pid = 0;
}

/* A stop of the server itself: returns true when its child is no more. */
static bool look_at_server(struct tracing *tracing, int status)
{
	const pid_t server = tracing->tracee->server;
	unsigned long child = 0;

	if (is_stop(status, SIGSTOP))
		return true;
	if (status >> 8 == (SIGTRAP | PTRACE_EVENT_FORK << 8)) {
		ptrace(PTRACE_GETEVENTMSG, server, 0, &child);
		tracing->pid = (pid_t)child;
	}
	ptrace(PTRACE_CONT, server, 0, 0);
	return false;
}

static void watch_child(struct tracing *tracing)
{
	const pid_t server = tracing->tracee->server;
	int status;
	bool is_done = false;

	tracing->counts = true;
	tracing->n_execs = 1;
	ptrace(PTRACE_CONT, server, 0, 0);
	while (!is_done) {
		const pid_t pid = wait_for(tracing, &status);

		if (pid == server)
			is_done = look_at_server(tracing, status);
		else if (tracing->pid = pid, !look(tracing, status))
			tracing->pid = 0;
	}
}

static bool run_in_server(struct tracing *tracing)
{
	struct tracee *tracee = tracing->tracee;

	if (tracee->server == 0) {
		tracee->server = start(tracee);
		if (tracee->server == 0)
			return false;
		await_ready(tracing);
		fcntl(tracee->output_fd, F_SETFL, O_NONBLOCK);
		fcntl(tracee->error_fd, F_SETFL, O_NONBLOCK);
	}
	watch_child(tracing);
	return true;
}

static bool run_alone(struct tracing *tracing)
{
	tracing->pid = start(tracing->tracee);
	if (tracing->pid == 0)
		return false;
	watch(tracing);
	return true;
}

/* --- both ----------------------------------------------------------------------- */

static void collect(int fd, char *text)
{
	size_t length = 0;
	ssize_t n;

	while (length < TRACEE_OUTPUT_SIZE - 1 &&
	       (n = read(fd, text + length,
			 TRACEE_OUTPUT_SIZE - 1 - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
}

bool tracee_run(struct tracee *tracee, const struct fault *fault,
		struct outcome *outcome)
{
	const struct sigaction action = { .sa_handler = ring };
	struct tracing tracing = { .tracee = tracee, .fault = fault,
				   .outcome = outcome };
	bool is_traced;

	outcome->status = outcome->n_calls = 0;
	outcome->hung = outcome->injected = false;
	outcome->fds[0] = '\0';
	is_late = false;
	sigaction(SIGALRM, &action, NULL);
	alarm(HANG_SECONDS);
	is_traced = tracee->span == SPAN_PASS ? run_in_server(&tracing)
					      : run_alone(&tracing);
	alarm(0);
	collect(tracee->output_fd, outcome->output);
	collect(tracee->error_fd, outcome->errors);
	if (tracee->server == 0) {
		close(tracee->output_fd);
		close(tracee->error_fd);
	}
	return is_traced;
}

void tracee_end(struct tracee *tracee)
{
	int status;

	if (tracee->server == 0)
		return;
	kill(tracee->server, SIGKILL);
	/* PTRACE_O_TRACEEXIT stops it once more. */
	while (must(waitpid(tracee->server, &status, __WALL), "waitpid"),
	       WIFSTOPPED(status))
		ptrace(PTRACE_CONT, tracee->server, 0, 0);
	close(tracee->output_fd);
	close(tracee->error_fd);
	tracee->server = 0;
}
