/* SPDX-License-Identifier: MIT */

/*
 * What the models share. MUTATION, one of those that a model defines, breaks it
 * where the C code could be broken: tests/model/model.py has spin find it.
 */

#ifndef MUTATION
#define MUTATION 0
#endif

/* A use word of the map: the use, and how many have the port. */
#define FREE 0
#define WHOLE 1
#define BOUND 2
#define CONNECT 3
#define USE_MASK 3
#define LEASE_UNIT 4

/* At each step a process may die instead. */
#define STEP_OR(die, operation) \
	if \
	:: d_step { operation } \
	:: atomic { die; goto dead } \
	fi
