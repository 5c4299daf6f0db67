/* A load generator for servers of several protocols: `load fanout|requests|idle --wire NAME --port N …`.

   Its last act is one line of JSON; what can't be measured is a sentence on standard error and status 1. */

#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

const char *name_of(const char *pattern, unsigned number) {
    const char *place = strstr(pattern, "%u");
    char *name;
    int bytes = place ? asprintf(&name, "%.*s%u%s", (int)(place - pattern), pattern, number, place + 2)
                      : asprintf(&name, "%s", pattern);
    if (bytes < 0) die("no memory for a name");
    return name;
}

struct names names_of(struct options *options, const char *option, unsigned count, const char *pattern) {
    struct names names = {take(count, sizeof(char *))};
    const char *path = option_text(options, option, NULL);
    FILE *file = path ? fopen(path, "r") : NULL;
    if (path && !file) die("%s can't be read", path);
    for (unsigned index = 0; index < count; index++) {
        char line[128];
        if (file && !fgets(line, sizeof line, file)) die("%s has fewer than %u lines", path, count);
        if (file) line[strcspn(line, "\n")] = 0;
        names.name[index] = file ? strdup(line) : name_of(pattern, index);
    }
    if (file) fclose(file);
    return names;
}

int main(int argc, char **argv) {
    if (argc < 2) die("usage: load fanout|requests|idle --wire NAME --port N …");
    struct options options = options_of(argc - 2, argv + 2);
    /* The default slack of 50 µs would be a good part of a latency. */
    prctl(PR_SET_TIMERSLACK, 1);
    if (strcmp(argv[1], "fanout") == 0)
        fanout_main(&options);
    else if (strcmp(argv[1], "requests") == 0)
        requests_main(&options);
    else if (strcmp(argv[1], "idle") == 0)
        idle_main(&options);
    else
        die("no load %s", argv[1]);
    return 0;
}
