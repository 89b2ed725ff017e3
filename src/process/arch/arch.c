/*
 * The table of CPUs.
 */
#include "process/arch/arch.h"

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
