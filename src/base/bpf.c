/* SPDX-License-Identifier: MIT */
#include "base/bpf.h"

#include <stdbool.h>
#include <string.h>

#define NO_SUCH_PROGRAM SECCOMP_RET_KILL_PROCESS

struct machine {
	uint32_t a, x;
	uint32_t memory[BPF_MEMWORDS];
	const struct seccomp_data *data;
};

/* Returns false where the kernel would not have accepted the offset. */
static bool load_data(const struct machine *machine, uint32_t at,
		      uint32_t *wordp)
{
	if (at > sizeof(*machine->data) - sizeof(*wordp) || at % 4 != 0)
		return false;
	memcpy(wordp, (const char *)machine->data + at, sizeof(*wordp));
	return true;
}

/* BPF_LD and BPF_LDX into a register. */
static bool load(const struct machine *machine,
		 const struct sock_filter *instruction, uint32_t *registerp)
{
	const uint32_t k = instruction->k;

	switch (instruction->code & ~(BPF_LD | BPF_LDX)) {
	case BPF_W | BPF_ABS:
		return BPF_CLASS(instruction->code) == BPF_LD &&
		       load_data(machine, k, registerp);
	case BPF_W | BPF_LEN: *registerp = sizeof(*machine->data); return true;
	case BPF_IMM: *registerp = k; return true;
	case BPF_MEM:
		if (k >= BPF_MEMWORDS)
			return false;
		*registerp = machine->memory[k];
		return true;
	default: return false;
	}
}

static bool store(struct machine *machine,
		  const struct sock_filter *instruction, uint32_t value)
{
	if (instruction->k >= BPF_MEMWORDS)
		return false;
	machine->memory[instruction->k] = value;
	return true;
}

/* The operand of BPF_ALU and BPF_JMP. */
static uint32_t operand(const struct machine *machine,
			const struct sock_filter *instruction)
{
	if (BPF_SRC(instruction->code) == BPF_X)
		return machine->x;
	return instruction->k;
}

/*
 * The kernel shifts by the low five bits of X. Divisions by 0 do not reach this
 * function.
 */
static bool compute(struct machine *machine,
		    const struct sock_filter *instruction)
{
	const uint32_t value = operand(machine, instruction);

	switch (BPF_OP(instruction->code)) {
	case BPF_ADD: machine->a += value; return true;
	case BPF_SUB: machine->a -= value; return true;
	case BPF_MUL: machine->a *= value; return true;
	case BPF_DIV: machine->a /= value; return true;
	case BPF_OR: machine->a |= value; return true;
	case BPF_AND: machine->a &= value; return true;
	case BPF_XOR: machine->a ^= value; return true;
	case BPF_LSH: machine->a <<= value % 32; return true;
	case BPF_RSH: machine->a >>= value % 32; return true;
	case BPF_NEG: machine->a = -machine->a; return true;
	default: return false;
	}
}

static bool divides_by_zero(const struct machine *machine,
			    const struct sock_filter *instruction)
{
	return BPF_CLASS(instruction->code) == BPF_ALU &&
	       BPF_OP(instruction->code) == BPF_DIV &&
	       operand(machine, instruction) == 0;
}

/* Fills in how many instructions are skipped. Returns false for what is no jump. */
static bool jump(const struct machine *machine,
		 const struct sock_filter *instruction, uint32_t *skippedp)
{
	const uint32_t value = operand(machine, instruction);
	bool is_true;

	*skippedp = instruction->k;
	switch (BPF_OP(instruction->code)) {
	case BPF_JA: return true;
	case BPF_JEQ: is_true = machine->a == value; break;
	case BPF_JGT: is_true = machine->a > value; break;
	case BPF_JGE: is_true = machine->a >= value; break;
	case BPF_JSET: is_true = (machine->a & value) != 0; break;
	default: return false;
	}
	*skippedp = is_true ? instruction->jt : instruction->jf;
	return true;
}

/*
 * All instructions but BPF_RET. Returns false for one that the kernel does not
 * know.
 */
static bool step(struct machine *machine, const struct sock_filter *instruction,
		 uint32_t *skippedp)
{
	switch (BPF_CLASS(instruction->code)) {
	case BPF_LD: return load(machine, instruction, &machine->a);
	case BPF_LDX: return load(machine, instruction, &machine->x);
	case BPF_ST: return store(machine, instruction, machine->a);
	case BPF_STX: return store(machine, instruction, machine->x);
	case BPF_ALU: return compute(machine, instruction);
	case BPF_JMP: return jump(machine, instruction, skippedp);
	case BPF_MISC:
		if (BPF_MISCOP(instruction->code) == BPF_TAX)
			machine->x = machine->a;
		else
			machine->a = machine->x;
		return true;
	default: return false;
	}
}

uint32_t bpf_run(const struct sock_filter *code, size_t length,
		 const struct seccomp_data *data)
{
	struct machine machine = { .data = data };

	for (size_t at = 0; at < length; at++) {
		const struct sock_filter *instruction = &code[at];
		uint32_t skipped = 0;

		if (BPF_CLASS(instruction->code) == BPF_RET)
			return BPF_RVAL(instruction->code) == BPF_A
				       ? machine.a
				       : instruction->k;
		/* bpf_convert_filter() in net/core/filter.c returns 0 there. */
		if (divides_by_zero(&machine, instruction))
			return SECCOMP_RET_KILL_THREAD;
		if (!step(&machine, instruction, &skipped) || skipped >= length)
			return NO_SUCH_PROGRAM;
		at += skipped;
	}
	return NO_SUCH_PROGRAM;
}
