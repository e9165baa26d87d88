/* SPDX-License-Identifier: MIT */
#include "stepper.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum phase { PHASE_BEFORE, PHASE_WITHIN, PHASE_BEHIND };

static atomic_uint *phases;	/* by slot, shared with the stepped processes */
static atomic_uint *own_phasep; /* in a stepped process alone */

static void die(const char *what)
{
	perror(what);
	exit(99);
}

/* What an exception clears, a load-linked and store-conditional pair needs. */
static bool has_single_instruction_atomics(void)
{
#ifdef __aarch64__
	return (getauxval(AT_HWCAP) & 1u << 8) != 0; /* HWCAP_ATOMICS */
#else
	return true;
#endif
}

static bool may_trace(void)
{
	const pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Test and stepped process take turns: on one processor that is cheapest, and
 * before all others it does not wait for them at each instruction. */
void stepper_stay_here(void)
{
	const int here = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(here < 0 ? 0 : here, &set);
	(void)!sched_setaffinity(0, sizeof(set), &set);
	(void)!setpriority(PRIO_PROCESS, 0, -20);
}

void *stepper_share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

const char *stepper_open(void)
{
	if (!has_single_instruction_atomics())
		return "the processor's atomics cannot be stepped (no LSE)";
	if (!may_trace())
		return "ptrace is not allowed";
	phases = stepper_share(N_STEPPED * sizeof(*phases));
	return NULL;
}

/* Returns whether it has stopped, and not ended. */
static bool wait_for_stop(struct stepped *stepped)
{
	while (waitpid(stepped->pid, &stepped->status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	stepped->gone = !WIFSTOPPED(stepped->status);
	return !stepped->gone;
}

static void move_on(struct stepped *stepped, enum __ptrace_request how,
		    int signal)
{
	/* ESRCH: it was killed where it had stopped. */
	if (ptrace(how, stepped->pid, NULL, (long)signal) != 0 &&
	    errno != ESRCH)
		die("ptrace");
}

bool stepped_move(struct stepped *stepped, int request, int signal)
{
	move_on(stepped, (enum __ptrace_request)request, signal);
	return wait_for_stop(stepped);
}

int stepped_signal(const struct stepped *stepped)
{
	const int signal = WSTOPSIG(stepped->status);

	/* SIGTRAP | 0x80: PTRACE_O_TRACESYSGOOD. */
	return (signal & 0x7f) == SIGTRAP || signal == SIGSTOP ? 0 : signal;
}

/* --- what differs by processor -------------------------------------------- */

#ifdef __x86_64__

/* Stops with the next instruction to come. */
static inline void stop_here(void)
{
	__asm__ volatile("int3" ::: "memory");
}

#define PC_OFFSET offsetof(struct user, regs.rip)
#define BREAKPOINT 0xccul /* int3, and the processor stands behind it */
#define BREAKPOINT_MASK 0xfful

static unsigned long get_pc(const struct stepped *stepped)
{
	return (unsigned long)ptrace(PTRACE_PEEKUSER, stepped->pid,
				     (void *)PC_OFFSET, NULL);
}

static void set_pc(const struct stepped *stepped, unsigned long pc)
{
	if (ptrace(PTRACE_POKEUSER, stepped->pid, (void *)PC_OFFSET,
		   (void *)pc) != 0)
		die("ptrace");
}

/* Runs until it comes to an instruction, which is the next then. */
static bool run_to(struct stepped *stepped, unsigned long pc)
{
	const long text = ptrace(PTRACE_PEEKTEXT, stepped->pid, (void *)pc,
				 NULL);

	if (ptrace(PTRACE_POKETEXT, stepped->pid, (void *)pc,
		   (void *)(((unsigned long)text & ~BREAKPOINT_MASK) |
			    BREAKPOINT)) != 0)
		die("ptrace");
	move_on(stepped, PTRACE_CONT, 0);
	if (!wait_for_stop(stepped))
		return false;
	if (WSTOPSIG(stepped->status) != SIGTRAP || get_pc(stepped) != pc + 1) {
		stepped_kill(stepped);
		return false;
	}
	set_pc(stepped, pc);
	ptrace(PTRACE_POKETEXT, stepped->pid, (void *)pc, (void *)text);
	return true;
}

#else

static inline void stop_here(void)
{
	raise(SIGSTOP);
}

static unsigned long get_pc(const struct stepped *stepped)
{
	(void)stepped;
	return 0;
}

static bool run_to(struct stepped *stepped, unsigned long pc)
{
	(void)stepped;
	(void)pc;
	return false;
}

#endif

/* --- within the stepped process ------------------------------------------- */

void stepped_begin(void)
{
	if (own_phasep == NULL || atomic_load(own_phasep) != PHASE_BEFORE)
		return;
	atomic_store(own_phasep, PHASE_WITHIN);
	stop_here();
}

void stepped_end(void)
{
	if (own_phasep != NULL && atomic_load(own_phasep) == PHASE_WITHIN)
		atomic_store(own_phasep, PHASE_BEHIND);
}

/* --- by the test ---------------------------------------------------------- */

void stepped_start(struct stepped *stepped, unsigned int slot,
		   void (*work)(void *context), void *context)
{
	const pid_t self = getpid();

	atomic_store(&phases[slot], PHASE_BEFORE);
	fflush(stdout);
	*stepped = (struct stepped){ .slot = slot, .pid = fork() };
	if (stepped->pid < 0)
		die("fork");
	if (stepped->pid == 0) {
		own_phasep = &phases[slot];
		/* It does not outlive its tracer, whenever that is killed. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != self)
			_exit(1);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		work(context);
		fflush(stdout);
		_exit(0);
	}
	wait_for_stop(stepped);
}

/* Moves on one instruction. */
static bool step(struct stepped *stepped)
{
	if (stepped->gone ||
	    atomic_load(&phases[stepped->slot]) != PHASE_WITHIN)
		return false;
	if (!stepped_move(stepped, PTRACE_SINGLESTEP, 0))
		return false;
	if (atomic_load(&phases[stepped->slot]) != PHASE_WITHIN)
		return false;
	stepped->n_steps++;
	return true;
}

bool stepped_steps(struct stepped *stepped, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!step(stepped))
			return false;
	return true;
}

void stepped_trace(struct stepped *stepped, struct stepped_trace *trace)
{
	trace->n = 0;
	do {
		trace->at[trace->n] = stepped->gone ? 0 : get_pc(stepped);
	} while (trace->n < MAX_STEPS - 1 && step(stepped) && ++trace->n > 0);
}

/* How often a part comes to the place of instruction n before that. */
static unsigned int visits_before(const struct stepped_trace *trace,
				  unsigned int n)
{
	unsigned int visits = 0;

	for (unsigned int i = 0; i < n; i++)
		visits += trace->at[i] == trace->at[n];
	return visits;
}

/* Runs to a place until it was there so many times; where it stands counts. */
static bool run_to_visit(struct stepped *stepped, unsigned long pc,
			 unsigned int n_visits)
{
	unsigned int n = get_pc(stepped) == pc;

	for (; n < n_visits; n++) {
		if (get_pc(stepped) == pc && !step(stepped))
			return false;
		/* One that repeats itself is there again. */
		if (get_pc(stepped) != pc && !run_to(stepped, pc))
			return false;
	}
	return true;
}

bool stepped_go(struct stepped *stepped, const struct stepped_trace *trace,
		unsigned int n)
{
	unsigned int least = n; /* stops, if all of it is stepped */
	unsigned int visits = 0, place = 0;

	/* Where to run to; each visit but the last costs a run and a step. */
	for (unsigned int i = n; i > 0 && n - i < least; i--) {
		const unsigned int before = visits_before(trace, i);

		if (trace->at[i] == 0 || 2 * before + 1 + n - i >= least)
			continue;
		least = 2 * before + 1 + n - i;
		visits = before + 1;
		place = i;
	}
	if ((place == 0 || run_to_visit(stepped, trace->at[place], visits)) &&
	    stepped_steps(stepped, n - place)) {
		stepped->n_steps = n;
		return true;
	}
	stepped_kill(stepped);
	return false;
}

bool stepped_finish(struct stepped *stepped, int signal)
{
	while (!stepped->gone) {
		if (!stepped_move(stepped, PTRACE_CONT, signal))
			break;
		/* What it was sent goes on to it. */
		signal = stepped_signal(stepped);
	}
	return WIFEXITED(stepped->status) && WEXITSTATUS(stepped->status) == 0;
}

void stepped_kill(struct stepped *stepped)
{
	if (stepped->gone)
		return;
	kill(stepped->pid, SIGKILL);
	while (wait_for_stop(stepped))
		;
}
