/* Which language runtime a process runs, from its program and its mappings. */
#ifndef LK_PROCESS_LINUX_LANGUAGE_RUNTIME_H
#define LK_PROCESS_LINUX_LANGUAGE_RUNTIME_H

/** "python" | "pypy" | "jvm" | "go" | "node" | "dotnet" | "ruby" | "native". base as by
 * lk_procfs_base. */
const char *lk_runtime_find(const char *base);

#endif
