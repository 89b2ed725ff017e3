/*
 * The table of CPUs.
 */
#include "process/arch/arch.h"

#include <errno.h>

#include "process/arch/x86_64.h"

static const struct lk_arch *const rows[] = { &lk_arch_x86_64 };

const struct lk_arch *lk_arch_find(uint16_t machine)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++)
        if (rows[i]->machine == machine)
            return rows[i];
    return NULL;
}

#if defined(__x86_64__)
#define OWN lk_arch_x86_64
#else
#error "no row for this CPU yet: see docs/adding-a-cpu.md"
#endif

const struct lk_arch *lk_arch_own(void)
{
    return &OWN;
}

unsigned lk_arch_place(const struct lk_arch *arch, uint64_t dwarf)
{
    for (unsigned i = 0; i < arch->n_registers; i++)
        if (arch->registers[i].dwarf == dwarf)
            return i;
    return LK_REGS_MAX;
}

void lk_arch_take_regs(const struct lk_arch *arch, const uint64_t *regset, struct lk_regs *ret)
{
    *ret = (struct lk_regs){ 0 };
    for (unsigned i = 0; i < arch->n_registers; i++) {
        ret->reg[i] = regset[arch->registers[i].regset];
        ret->known |= 1u << i;
    }
}

bool lk_arch_take_call(const struct lk_arch *arch, const uint64_t *regset, int64_t *nr,
                       uint64_t args[6])
{
    /* ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK */
    static const int64_t broken_off[] = { -EINTR, -512, -513, -514, -516 };
    const int64_t result = (int64_t)regset[arch->call.result];
    *nr = (int64_t)regset[arch->call.number];
    if (*nr < 0 || (uint64_t)*nr >= arch->n_syscalls)
        return false;
    for (size_t i = 0; i < 6; i++)
        args[i] = regset[arch->call.args[i]];
    for (size_t i = 0; i < LK_ARRAY_LEN(broken_off); i++)
        if (result == broken_off[i])
            return true;
    return false;
}
