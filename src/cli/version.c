/*
 * What --version prints. LK_COMMIT and LK_STATIC come from the Makefile: the state of the
 * sources, where that is known, and that no library is loaded.
 */
#include <stdio.h>

#include "cli/cli.h"
#include "loopknot.h"

#ifndef LK_COMMIT
#define LK_COMMIT ""
#endif

void print_version(void)
{
#ifdef LK_STATIC
    static const char linked[] = "static, libunwind linked";
#else
    static const char linked[] = "dynamic, libunwind loaded where it is installed";
#endif
    printf("loopknot %s (%s%s%s%s; names of C++ and Rust; zstd, lz4, xz, zlib)\n",
           loopknot_version(), *LK_COMMIT ? "commit " : "", LK_COMMIT, *LK_COMMIT ? "; " : "",
           linked);
}
