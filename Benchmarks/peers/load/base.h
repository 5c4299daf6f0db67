/* What every program here needs: time, another process's figures, a histogram, failure. */

#ifndef BASE_H
#define BASE_H

#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>

uint64_t now_ns(void);

/* Says what happened on standard error and ends with status 1. */
noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

void *take(size_t count, size_t size);

/* One process with its direct children, whom PostgreSQL works by. */
struct usage {
    uint64_t cpu_ns;
    uint64_t rss_bytes;
    uint64_t written_bytes;
};
struct usage usage_of(pid_t root);
uint64_t own_cpu_ns(void);

/* Log-linear, like HdrHistogram: 64 steps an octave, so that a value is off by less than 1.6 %. */
#define HISTOGRAM_STEP_BITS 6
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS)
struct histogram {
    uint64_t count;
    uint64_t max;
    uint64_t bucket[HISTOGRAM_BUCKETS];
};
void histogram_add(struct histogram *histogram, uint64_t value);
uint64_t histogram_at(const struct histogram *histogram, double quantile);

/* Command line: `--name value` pairs. What is missing takes its default; what nobody asked for is an error. */
struct options {
    int count;
    char **words;
    uint64_t used;
};
struct options options_of(int argc, char **argv);
const char *option_text(struct options *options, const char *name, const char *fallback);
uint64_t option_number(struct options *options, const char *name, uint64_t fallback);
void options_end(const struct options *options);

/* A measured stretch: the server's and our own processor time, and what the server wrote to disk. */
struct window {
    pid_t server;
    uint64_t start_ns;
    uint64_t start_own_ns;
    struct usage start;
};
struct window window_open(pid_t server);

/* Prints the one line of JSON that this run was for; `latency_ns` may be NULL. */
void window_report(const struct window *window, uint64_t operations, uint64_t received_bytes,
                   const struct histogram *latency_ns);

#endif
