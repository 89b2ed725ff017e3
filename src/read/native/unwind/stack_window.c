/* The window is filled from the page cache (process/pages.c); a word that lies across two pages
 * goes past it, and so does each where what is read is counted by bytes. */
#include "read/native/unwind/stack_window.h"

#include <string.h>

bool lk_stack_word(struct lk_stack_window *w, struct lk_process *t, lk_addr addr, uint64_t *ret)
{
    lk_addr page = addr & ~(lk_addr)(LK_PAGE - 1);
    size_t at = (size_t)(addr - page);
    if (at > LK_PAGE - sizeof *ret || lk_process_by_bytes(t))
        return lk_read_u64(t, addr, ret);
    if (!w->ok || w->page != page) {
        w->page = page;
        w->ok = lk_read(t, page, w->bytes, LK_PAGE);
        if (!w->ok)
            return false;
    }
    memcpy(ret, w->bytes + at, sizeof *ret);
    return true;
}
