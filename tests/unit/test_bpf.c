/* SPDX-License-Identifier: MIT */
/* Edge case 24: the interpreter, and the kernel on the same programs. */
#include "base/bpf.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const struct seccomp_data call = {
	.nr = 1234,
	.arch = 0xc000003e,
	.instruction_pointer = UINT64_C(0x1122334455667788),
	.args = { 1, UINT64_C(0xaabbccdd00000002), 3, 4, 5, 6 },
};

static uint32_t run(const struct sock_filter *code, size_t length)
{
	return bpf_run(code, length, &call);
}

#define RUN(...) \
	run((const struct sock_filter[]){ __VA_ARGS__ }, \
	    LENGTH(((const struct sock_filter[]){ __VA_ARGS__ })))

#define RETURN_A BPF_STMT(BPF_RET | BPF_A, 0)
#define SET_A(value) BPF_STMT(BPF_LD | BPF_IMM, value)
#define SET_X(value) BPF_STMT(BPF_LDX | BPF_IMM, value)

Test(bpf, every_word_of_the_call_is_loaded)
{
	for (uint32_t at = 0; at < sizeof(call); at += 4) {
		uint32_t word;

		memcpy(&word, (const char *)&call + at, sizeof(word));
		cr_assert_eq(RUN(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at),
				 RETURN_A),
			     word, "at %u", at);
	}
}

Test(bpf, what_lies_outside_the_call_is_not_loaded)
{
	for (uint32_t at = 1; at < 200; at++)
		if (at % 4 != 0 || at >= sizeof(call))
			cr_assert_eq(RUN(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at),
					 RETURN_A),
				     SECCOMP_RET_KILL_PROCESS);
	cr_assert_eq(RUN(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0xfffffffc),
			 RETURN_A),
		     SECCOMP_RET_KILL_PROCESS);
}

/* What the programs at random below do not have. */
Test(bpf, what_the_kernel_does_not_take_is_killed)
{
	cr_assert_eq(RUN(BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), RETURN_A), 64u);
	cr_assert_eq(RUN(BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0),
			 BPF_STMT(BPF_MISC | BPF_TXA, 0), RETURN_A),
		     64u);
	cr_assert_eq(RUN(BPF_STMT(BPF_JMP | BPF_JA, 1),
			 BPF_STMT(BPF_RET | BPF_K, 1),
			 BPF_STMT(BPF_RET | BPF_K, 2)),
		     2u);
	cr_assert_eq(RUN(BPF_STMT(BPF_ST, 16), RETURN_A),
		     SECCOMP_RET_KILL_PROCESS);
	cr_assert_eq(RUN(BPF_STMT(BPF_LD | BPF_MEM, 16), RETURN_A),
		     SECCOMP_RET_KILL_PROCESS);
	cr_assert_eq(RUN(SET_A(5), BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
			 RETURN_A),
		     SECCOMP_RET_KILL_THREAD);
	/* seccomp takes no remainder. */
	cr_assert_eq(RUN(SET_A(5), BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3),
			 RETURN_A),
		     SECCOMP_RET_KILL_PROCESS);
}

Test(bpf, a_program_without_an_end_allows_nothing)
{
	cr_assert_eq(RUN(SET_A(SECCOMP_RET_ALLOW)), SECCOMP_RET_KILL_PROCESS);
	cr_assert_eq(RUN(BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff), RETURN_A),
		     SECCOMP_RET_KILL_PROCESS);
	cr_assert_eq(RUN(BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 255, 255), RETURN_A),
		     SECCOMP_RET_KILL_PROCESS);
	cr_assert_eq(bpf_run(NULL, 0, &call), SECCOMP_RET_KILL_PROCESS);
}

/* --- the same program, run by the kernel ---------------------------------- */

#define MAX_LENGTH 40
#define N_PROGRAMS 1000
#define N_CALLS 6
#define IS_KILLED 0x10000

struct program {
	size_t length;
	struct sock_filter code[MAX_LENGTH + 1];
};

static uint32_t number(unsigned int *seed)
{
	static const uint32_t usual[] = {
		0, 1, 2, 31, 32, 33, 0x7fffffff, 0x80000000, 0xffffffff,
	};
	const uint32_t choice = (uint32_t)rand_r(seed);

	return choice % 3 == 0
		       ? usual[choice / 3 % LENGTH(usual)]
		       : (uint32_t)rand_r(seed) << 16 ^ (uint32_t)rand_r(seed);
}

/* The kernel takes no division by a constant 0 and no shift by more than 31. */
static uint32_t constant(uint16_t operation, uint32_t k)
{
	switch (operation) {
	case BPF_DIV: return k | 1;
	case BPF_LSH:
	case BPF_RSH: return k % 32;
	default: return k;
	}
}

static struct sock_filter random_instruction(unsigned int *seed, size_t left)
{
	static const uint16_t operations[] = {
		BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR,
		BPF_AND, BPF_XOR, BPF_LSH, BPF_RSH, BPF_NEG,
	};
	static const uint16_t jumps[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	const uint16_t source = rand_r(seed) % 2 ? BPF_X : BPF_K;
	const uint16_t operation =
		operations[(size_t)rand_r(seed) % LENGTH(operations)];
	const uint32_t k = number(seed), word = (uint32_t)rand_r(seed) % 16;

	switch (rand_r(seed) % 12) {
	case 0:
	case 1:
		return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						    16 + word % 12 * 4);
	case 2: return (struct sock_filter)SET_A(k);
	case 3: return (struct sock_filter)SET_X(k);
	case 4: return (struct sock_filter)BPF_STMT(BPF_ST, word);
	case 5: return (struct sock_filter)BPF_STMT(BPF_STX, word);
	case 6:
		return (struct sock_filter)BPF_STMT(
			(source == BPF_X ? BPF_LD : BPF_LDX) | BPF_MEM, word);
	case 7:
		return (struct sock_filter)BPF_STMT(
			BPF_MISC | (source == BPF_X ? BPF_TAX : BPF_TXA), 0);
	case 8:
	case 9:
		return (struct sock_filter)BPF_JUMP(
			BPF_JMP | jumps[word % 4] | source, k,
			(uint8_t)((size_t)rand_r(seed) % left),
			(uint8_t)((size_t)rand_r(seed) % left));
	default:
		return (struct sock_filter)BPF_STMT(
			BPF_ALU | operation |
				(operation == BPF_NEG ? BPF_K : source),
			constant(operation, k));
	}
}

/*
 * Other calls than getpid() pass. The end says EUSER of 12 bits of A. The
 * memory is written first: the kernel takes no load of what was not.
 */
static void make_program(struct program *program, unsigned int *seed)
{
	size_t n = 0;

	program->code[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	program->code[n++] = (struct sock_filter)BPF_JUMP(
		BPF_JMP | BPF_JEQ | BPF_K, SYS_getpid, 1, 0);
	program->code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
							  SECCOMP_RET_ALLOW);
	for (uint32_t word = 0; word < BPF_MEMWORDS; word++)
		program->code[n++] = (struct sock_filter)BPF_STMT(BPF_ST, word);
	while (n < MAX_LENGTH - 3)
		program->code[n] = random_instruction(seed, MAX_LENGTH - 3 - n),
		n++;
	program->code[n++] =
		(struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x7ff);
	program->code[n++] = (struct sock_filter)BPF_STMT(
		BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO | 0x800);
	program->code[n++] = (struct sock_filter)RETURN_A;
	program->length = n;
}

static struct seccomp_data random_call(unsigned int *seed)
{
	struct seccomp_data data = {
		.nr = SYS_getpid,
#if defined(__x86_64__)
		.arch = AUDIT_ARCH_X86_64,
#else
		.arch = AUDIT_ARCH_AARCH64,
#endif
	};

	for (int i = 0; i < 6; i++)
		data.args[i] = (uint64_t)number(seed) << 32 | number(seed);
	return data;
}

static int kernel_says(const struct seccomp_data *data)
{
	const __u64 *a = data->args;

	errno = 0;
	syscall(SYS_getpid, a[0], a[1], a[2], a[3], a[4], a[5]);
	return errno;
}

static int expected(uint32_t verdict)
{
	switch (verdict & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ERRNO: return (int)(verdict & SECCOMP_RET_DATA);
	case SECCOMP_RET_ALLOW: return 0;
	default: return IS_KILLED;
	}
}

static int ours(const struct program *program, const struct seccomp_data *data)
{
	return expected(bpf_run(program->code, program->length, data));
}

/* Whether one of the calls is to end the child. */
static bool is_to_end(const struct program *program, unsigned int seed)
{
	for (int i = 0; i < N_CALLS; i++) {
		const struct seccomp_data data = random_call(&seed);

		if (ours(program, &data) == IS_KILLED)
			return true;
	}
	return false;
}

/* In a child, since a filter stays: exits with 0 when both say the same. */
static void compare(const struct program *program, unsigned int seed)
{
	const struct sock_fprog loaded = {
		.len = (unsigned short)program->length,
		.filter = (struct sock_filter *)program->code,
	};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &loaded) != 0)
		_exit(2);
	for (int i = 0; i < N_CALLS; i++) {
		const struct seccomp_data data = random_call(&seed);

		if (kernel_says(&data) != ours(program, &data))
			_exit(1);
	}
	_exit(0);
}

Test(bpf, random_programs_say_what_the_kernel_says, .timeout = 300)
{
	int n_ended = 0;

	for (unsigned int seed = 1; seed <= N_PROGRAMS; seed++) {
		unsigned int state = seed;
		struct program program;
		int status;

		make_program(&program, &state);

		const pid_t child = fork();

		if (child == 0)
			compare(&program, state);
		cr_assert_eq(waitpid(child, &status, 0), child);
		if (is_to_end(&program, state)) {
			cr_assert(WIFSIGNALED(status) &&
					  WTERMSIG(status) == SIGSYS,
				  "seed %u: not ended, %#x", seed, status);
			n_ended++;
		} else {
			cr_assert_eq(status, 0, "seed %u: %#x", seed, status);
		}
	}
	cr_expect(n_ended > 0 && n_ended < N_PROGRAMS / 2, "%d were ended",
		  n_ended);
}
