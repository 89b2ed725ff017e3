#include "report/report.h"

#include <string.h>

#include "loopknot.h"
#include "report/json.h"
#include "report/markdown.h"
#include "report/text.h"

const struct lk_format lk_formats[] = {
    { .name = "text", .write = lk_text_write, .help = "for a person at a terminal" },
    { .name = "json", .write = lk_json_write, .help = "for scripts: loopknot.report/1, see docs/report.schema.json" },
    { .name = "markdown", .write = lk_markdown_write, .help = "for a ticket" },
};
const size_t lk_n_formats = LK_ARRAY_LEN(lk_formats);

const struct lk_format *lk_format_by_name(const char *name)
{
    for (size_t i = 0; i < lk_n_formats; i++)
        if (strcmp(lk_formats[i].name, name) == 0)
            return &lk_formats[i];
    return NULL;
}

const char *lk_tool_version(void)
{
    return LOOPKNOT_VERSION;
}
