/* What the load generator does, by its first word, and the names that it speaks of. */

#ifndef LOAD_H
#define LOAD_H

#include "base.h"

void fanout_main(struct options *options);
void requests_main(struct options *options);
void idle_main(struct options *options);

struct names {
    const char **name;
};
/* `count` names: the lines of the file that `option` names, or else made by `pattern` from numbers. */
struct names names_of(struct options *options, const char *option, unsigned count, const char *pattern);

/* `pattern` with the number in place of its one `%u`. */
const char *name_of(const char *pattern, unsigned number);

#endif
