/*
 * Native stacks: modules (ELF files mapped by the target), unwinding over the target's memory as
 * cached (never a ptrace call of its own), names by sorted symbol tables built once a module,
 * file:line where there is debug information.
 */
#ifndef LK_READ_NATIVE_UNWIND_UNWIND_H
#define LK_READ_NATIVE_UNWIND_UNWIND_H

#include "process/process.h"

struct lk_unwinder;

/** Lists the modules of the target; keeps ELF handles open until destroy. NULL with err. */
struct lk_unwinder *lk_unwinder_create(struct lk_process *t, struct lk_error *err);
void lk_unwinder_destroy(struct lk_unwinder *u);
/**
 * To be called at the start of a sample: modules may have been loaded or unloaded; keeps what is
 * unchanged. Also forgets which stacks and strings were put into which arena: an arena that was
 * given to lk_unwind must live until the next refresh (or destroy).
 */
void lk_unwinder_refresh(struct lk_unwinder *u);

/** Who reads stacks. Auto: our own unwinder, and libunwind where that ends early. */
enum lk_unwind_by { LK_UNWIND_AUTO = 0, LK_UNWIND_OWN, LK_UNWIND_LIBUNWIND };
/** False where libunwind is asked for alone and is not installed: our own is used then. */
bool lk_unwinder_use(struct lk_unwinder *u, enum lk_unwind_by by);

#define LK_UNWIND_MAX 256 /* frames of one thread */

/**
 * The walk alone, by our own unwinder or, where that is chosen, by libunwind: no names, no arena.
 * Puts the pcs, innermost first, into pcs (room for LK_UNWIND_MAX) and returns how many. For a
 * rehearsal while threads are stopped (brings in the pages that lk_unwind will need) and for tests.
 */
unsigned lk_unwind_walk(struct lk_unwinder *u, const struct lk_regs *regs, lk_addr *pcs,
                        bool *truncated);

/**
 * Unwinds one thread from the registers that are known (pc and sp at least). Bounded (256 frames).
 * An unknown register ends the stack with truncated = true, never a guess. Result and strings
 * belong to the arena. Equal stacks of one sample may be one object: compare pointers to fold, do
 * not change frames.
 */
struct lk_natstack *lk_unwind(struct lk_unwinder *u, const struct lk_regs *regs,
                              struct lk_arena *a);
/** The same of n threads. libunwind, where it is needed, is asked once for all of them. */
void lk_unwind_all(struct lk_unwinder *u, const struct lk_regs *regs, size_t n, struct lk_arena *a,
                   struct lk_natstack **ret);
/** file:line of frames outside the system's libraries where the module has debug information, and
 * the functions inlined there as frames of their own (costly: only for stacks to be shown). */
void lk_unwind_lines(struct lk_unwinder *u, struct lk_natstack *const *stacks, size_t n,
                     struct lk_arena *a);

#endif
