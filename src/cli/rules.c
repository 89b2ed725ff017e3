#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "loopknot.h"

int command_rules(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        puts("usage: loopknot rules\nLists the rules: id, name, how bad it can be, what it means.");
        return flushed(0);
    }
    if (argc > 1)
        return complain(EXIT_USAGE, "'rules' takes no '%s'", argv[1]);
    const char *id, *name, *ceiling, *means;
    for (size_t i = 0; (id = loopknot_rule(i, &name, &ceiling, &means, NULL, NULL)); i++)
        printf("%s  %-24s %-9s %s\n", id, name, ceiling, means);
    return flushed(0);
}

int command_explain(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        puts("usage: loopknot explain RULE\nExplains one rule (loopknot rules lists them).");
        return flushed(0);
    }
    if (argc != 2)
        return complain(EXIT_USAGE, "usage: loopknot explain RULE   (loopknot rules lists them)");
    const char *id, *name, *ceiling, *means, *remedy, *const *docs;
    for (size_t i = 0; (id = loopknot_rule(i, &name, &ceiling, &means, &remedy, &docs)); i++) {
        if (strcasecmp(id, argv[1]) != 0 && strcasecmp(name, argv[1]) != 0)
            continue;
        printf("%s %s (at most: %s)\n\nMeaning: %s\n\nRemedy: %s\n\nSources:\n", id, name, ceiling, means, remedy);
        for (; *docs; docs++)
            printf("  %s\n", *docs);
        return flushed(0);
    }
    return complain(EXIT_USAGE, "this build has no rule '%s' (loopknot rules lists them)", argv[1]);
}
