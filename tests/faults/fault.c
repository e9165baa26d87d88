/* SPDX-License-Identifier: MIT */
/*
 * fault.so: preloaded behind libberth.so, or into berth, it has the kernel hand
 * it each system call of the thread (prctl(2), PR_SET_SYSCALL_USER_DISPATCH),
 * counts those of Berth, and lets one of them fail as the page says: the file
 * that the variable FAULT_PAGE names; the driver (fault.py) has mapped it, too.
 * Both run as they are installed. x86-64, from Linux 5.11 on.
 *
 * Berth's are those whose instruction lies in libberth.so, and those of libc
 * with a return address in libberth.so among the words on top of the stack. Of
 * the latter, the calls that are hooked are the program's own, passed on.
 */
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "map/layout.h"
#include "policy/layout.h"

#define PR_SET_SYSCALL_USER_DISPATCH 59
#define SA_RESTORER 0x04000000
#define STATUS_SKIP 77

/* A return address is on top, or behind what a function of libc has pushed. */
#define STACK_WORDS 24

#define SIGSYS_BIT (UINT64_C(1) << (SIGSYS - 1))
#define SET_SIZE sizeof(uint64_t)

#define FAULT_MAX_CALLS 2048

/* From where on calls are counted, and up to where. */
enum fault_span {
	SPAN_START,   /* from the start to fault_end() */
	SPAN_PASS,    /* from fault_begin() to fault_end() */
	SPAN_COMMAND, /* all from the program's first to its end or exec */
};

/* Whose a system call is. */
enum fault_origin {
	ORIGIN_OTHER, /* the program's, libc's, the loader's */
	ORIGIN_BERTH,
	ORIGIN_PASSED_ON, /* the program's own, by a hook of Berth's */
};

struct fault_page {
	uint32_t span, n_starts;

	/* The fault: the nth call of its kind from 1, or 0; it alone or all
	 * that follow, too; error = 0 halves the argument that is a size. */
	uint32_t number, origin, nth, always, error, size_argument;

	uint32_t n_alike, n_injected, n_calls;
	struct {
		uint16_t number, origin;
	} calls[FAULT_MAX_CALLS];
};

struct memory_range {
	uintptr_t lo, hi;
};

/* Of the driver: where it finds what in Berth's files. */
extern const unsigned long fault_layout[];
const unsigned long fault_layout[] = {
	sizeof(struct map_memory),
	offsetof(struct map_memory, protocols),
	sizeof(struct protocol_memory),
	offsetof(struct protocol_memory, uses),
	sizeof(uint16_t) * N_PORTS,
	offsetof(struct map_memory, counter),
	N_COUNTERS,
	N_PROTOCOLS,
	COUNTER_KERNEL_ASKED,
	COUNTER_FOREIGN,
	COUNTER_SWEPT,
	sizeof(struct policy_file_header),
	offsetof(struct policy_preamble, edition),
	offsetof(struct policy_preamble, has_moved),
};

/* For the program, which finds them by dlsym(3). */
void fault_begin(void);
void fault_end(void);

static struct fault_page *page;
static struct memory_range berth, loader;
static bool has_begun, is_over;

/* The kernel lets the calls between these two pass. */
extern const char fault_text[], fault_text_end[];
long fault_call(long number, const uint64_t a[6]);
void fault_return(void);

__asm__(".text\n"
	".globl fault_text, fault_call, fault_return, fault_text_end\n"
	"fault_text:\n"
	"fault_call:\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %r11\n"
	"	mov (%r11), %rdi\n"
	"	mov 8(%r11), %rsi\n"
	"	mov 16(%r11), %rdx\n"
	"	mov 24(%r11), %r10\n"
	"	mov 32(%r11), %r8\n"
	"	mov 40(%r11), %r9\n"
	"	syscall\n"
	"	ret\n"
	"fault_return:\n"
	"	mov $15, %eax\n" /* rt_sigreturn */
	"	syscall\n"
	"	ud2\n" /* the kernel looks where a call returns to */
	"fault_text_end:\n");

static bool is_within(const struct memory_range *range, uintptr_t address)
{
	return address >= range->lo && address < range->hi;
}

/* The calls of which Berth has a hook. */
static bool is_hooked(long number)
{
	switch (number) {
#define SYSTEM_CALL(result, name, parameters, words, arguments) case SYS_##name:
#define LIBC_CALL(result, name, parameters)
#define LIBC_ALIAS(name)
#include "preload/hooks.def"
	case SYS_fcntl:
	case SYS_prctl:
	case SYS_seccomp: return true;
	default: return false;
	}
}

static enum fault_origin origin_of(long number, uintptr_t instruction,
				   const uintptr_t *stack)
{
	if (is_within(&berth, instruction))
		return ORIGIN_BERTH;
	if (!is_within(&loader, instruction))
		for (int i = 0; i < STACK_WORDS; i++)
			if (is_within(&berth, stack[i]))
				return is_hooked(number) ? ORIGIN_PASSED_ON
							 : ORIGIN_BERTH;
	return ORIGIN_OTHER;
}

/* Counts a call; returns whether it is to fail. */
static bool is_to_fail(long number, enum fault_origin origin)
{
	if (page->span == SPAN_COMMAND) {
		has_begun = has_begun || origin != ORIGIN_OTHER;
		origin = has_begun ? ORIGIN_BERTH : ORIGIN_OTHER;
	}
	if (is_over || origin == ORIGIN_OTHER)
		return false;
	if (page->n_calls < FAULT_MAX_CALLS) {
		page->calls[page->n_calls].number = (uint16_t)number;
		page->calls[page->n_calls++].origin = (uint16_t)origin;
	}
	if (page->nth == 0 || page->number != number || page->origin != origin)
		return false;
	page->n_alike++;
	return page->n_alike == page->nth ||
	       (page->always && page->n_alike > page->nth);
}

static long fail(long number, uint64_t a[6])
{
	page->n_injected++;
	is_over = !page->always;
	if (page->error == 0) {
		a[page->size_argument] = (a[page->size_argument] + 1) / 2;
		return fault_call(number, a);
	}
	/* close(2): the descriptor is gone, whatever it returns. */
	if (number == SYS_close)
		fault_call(number, a);
	return -(long)page->error;
}

static void dispatch(bool on)
{
	static char blocks = 1; /* SYSCALL_DISPATCH_FILTER_BLOCK */

	if (fault_call(SYS_prctl,
		       (const uint64_t[6]){
			       PR_SET_SYSCALL_USER_DISPATCH, on,
			       on ? (uint64_t)fault_text : 0,
			       on ? (uint64_t)(fault_text_end - fault_text) : 0,
			       on ? (uint64_t)&blocks : 0 }) != 0)
		_exit(STATUS_SKIP);
}

static void handle(int signal, siginfo_t *info, void *context)
{
	mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
	greg_t *registers = machine->gregs;
	const long number = info->si_syscall;
	uint64_t *maskp = (uint64_t *)&((ucontext_t *)context)->uc_sigmask;
	uint64_t a[6] = {
		(uint64_t)registers[REG_RDI], (uint64_t)registers[REG_RSI],
		(uint64_t)registers[REG_RDX], (uint64_t)registers[REG_R10],
		(uint64_t)registers[REG_R8],  (uint64_t)registers[REG_R9],
	};
	const bool fails = is_to_fail(
		number, origin_of(number, (uintptr_t)info->si_call_addr,
				  (const uintptr_t *)registers[REG_RSP]));

	(void)signal;
	registers[REG_RAX] = fails ? fail(number, a) : fault_call(number, a);
	/* The kernel hands over no calls of a child: berth's is berth. */
	if (number == SYS_clone && !(a[0] & CLONE_VM) && !fails &&
	    registers[REG_RAX] == 0 && page->span == SPAN_COMMAND)
		dispatch(true);
	/* The program's own mask, without the signal that brings calls. */
	if (number == SYS_rt_sigprocmask)
		fault_call(number,
			   (const uint64_t[6]){ SIG_SETMASK, 0, (uint64_t)maskp,
						SET_SIZE });
	*maskp &= ~SIGSYS_BIT;
}

/* Berth's text: libberth.so, or in a run of berth the program itself. */
static int find_text(struct dl_phdr_info *info, size_t size, void *context)
{
	const bool is_berth = page->span == SPAN_COMMAND
				      ? info->dlpi_name[0] == '\0'
				      : strstr(info->dlpi_name,
					       "/libberth.so") != NULL;
	struct memory_range *range = is_berth ? &berth : &loader;

	(void)size;
	(void)context;
	if (!is_berth && strstr(info->dlpi_name, "/ld-linux") == NULL)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_flags & PF_X) {
			range->lo = info->dlpi_addr +
				    info->dlpi_phdr[i].p_vaddr;
			range->hi = range->lo + info->dlpi_phdr[i].p_memsz;
		}
	return 0;
}

void fault_begin(void)
{
	/* As the kernel has it: libc would put its own restorer there. */
	const struct {
		void (*handler)(int, siginfo_t *, void *);
		unsigned long flags;
		void (*restorer)(void);
		uint64_t mask;
	} action = { handle, SA_SIGINFO | SA_NODEFER | SA_RESTORER,
		     fault_return, 0 };

	fault_call(SYS_rt_sigaction,
		   (const uint64_t[6]){ SIGSYS, (uint64_t)&action, 0,
					SET_SIZE });
	dispatch(true);
}

void fault_end(void)
{
	dispatch(false);
}

/* By no call that libberth.so hooks: the first one would start it. */
static struct fault_page *map_page(const char *path)
{
	const long fd = fault_call(SYS_openat,
				   (const uint64_t[6]){ (uint64_t)AT_FDCWD,
							(uint64_t)path,
							O_RDWR | O_CLOEXEC });
	const long address =
		fd < 0 ? fd
		       : fault_call(SYS_mmap,
				    (const uint64_t[6]){
					    0, sizeof(struct fault_page),
					    PROT_READ | PROT_WRITE, MAP_SHARED,
					    (uint64_t)fd });

	fault_call(SYS_close, (const uint64_t[6]){ (uint64_t)fd });
	return address < 0 ? NULL : (struct fault_page *)address;
}

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("FAULT_PAGE");

	page = path != NULL ? map_page(path) : NULL;
	/* What it starts goes its own way. */
	if (page == NULL || page->n_starts++ > 0)
		return;
	dl_iterate_phdr(find_text, NULL);
	if (page->span != SPAN_PASS)
		fault_begin();
}
