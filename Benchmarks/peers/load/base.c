/* Clocks, /proc, the histogram, the command line, and the line of JSON that a run ends with. */

#include "base.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t clock_ns(clockid_t clock) {
    struct timespec time;
    if (clock_gettime(clock, &time) != 0) return 0;
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

uint64_t own_cpu_ns(void) { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

noreturn void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

void *take(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (!memory) die("no memory for %zu things of %zu bytes", count, size);
    return memory;
}

/* The number behind `key` in a file of /proc, or 0: a child may be gone by now. */
static uint64_t proc_number(pid_t pid, const char *file, const char *key) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    FILE *stream = fopen(path, "r");
    if (!stream) return 0;
    uint64_t value = 0;
    while (fgets(line, sizeof line, stream))
        if (strncmp(line, key, strlen(key)) == 0) sscanf(line + strlen(key), "%" SCNu64, &value);
    fclose(stream);
    return value;
}

static void add_usage(struct usage *sum, pid_t pid) {
    clockid_t clock;
    /* Nanoseconds of all threads, ended ones too, where /proc/PID/stat counts hundredths of a second. */
    if (clock_getcpuclockid(pid, &clock) == 0) sum->cpu_ns += clock_ns(clock);
    sum->rss_bytes += proc_number(pid, "status", "VmRSS:") * 1024;
    sum->written_bytes += proc_number(pid, "io", "write_bytes:");
}

struct usage usage_of(pid_t root) {
    struct usage sum = {0};
    if (root <= 0) return sum;
    add_usage(&sum, root);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", root, root);
    FILE *stream = fopen(path, "r");
    if (!stream) return sum;
    int child;
    while (fscanf(stream, "%d", &child) == 1) add_usage(&sum, child);
    fclose(stream);
    return sum;
}

static unsigned bucket_of(uint64_t value) {
    if (value < 1u << HISTOGRAM_STEP_BITS) return (unsigned)value;
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;
    return ((shift + 1) << HISTOGRAM_STEP_BITS) + (unsigned)(value >> shift) - (1u << HISTOGRAM_STEP_BITS);
}

void histogram_add(struct histogram *histogram, uint64_t value) {
    histogram->count++;
    if (value > histogram->max) histogram->max = value;
    histogram->bucket[bucket_of(value)]++;
}

uint64_t histogram_at(const struct histogram *histogram, double quantile) {
    uint64_t wanted = (uint64_t)((double)histogram->count * quantile), seen = 0;
    for (unsigned index = 0; index < HISTOGRAM_BUCKETS; index++) {
        seen += histogram->bucket[index];
        if (seen <= wanted) continue;
        if (index < 1u << HISTOGRAM_STEP_BITS) return index;
        unsigned shift = (index >> HISTOGRAM_STEP_BITS) - 1;
        uint64_t step = (index & ((1u << HISTOGRAM_STEP_BITS) - 1)) + (1u << HISTOGRAM_STEP_BITS);
        uint64_t top = ((step + 1) << shift) - 1;
        return top < histogram->max ? top : histogram->max;
    }
    return histogram->max;
}

struct options options_of(int argc, char **argv) {
    if (argc % 2) die("options come in pairs: --name value");
    if (argc > 128) die("too many options");
    return (struct options){.count = argc, .words = argv};
}

const char *option_text(struct options *options, const char *name, const char *fallback) {
    for (int index = 0; index < options->count; index += 2) {
        if (strncmp(options->words[index], "--", 2) != 0 || strcmp(options->words[index] + 2, name) != 0) continue;
        options->used |= UINT64_C(1) << (index / 2);
        return options->words[index + 1];
    }
    return fallback;
}

uint64_t option_number(struct options *options, const char *name, uint64_t fallback) {
    const char *text = option_text(options, name, NULL);
    if (!text) return fallback;
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (!*text || *end) die("--%s takes a number, not %s", name, text);
    return value;
}

void options_end(const struct options *options) {
    for (int index = 0; index < options->count; index += 2)
        if (!(options->used >> (index / 2) & 1)) die("nothing here takes %s", options->words[index]);
}

struct window window_open(pid_t server) {
    struct window window = {.server = server, .start = usage_of(server)};
    window.start_own_ns = own_cpu_ns();
    window.start_ns = now_ns();
    return window;
}

void window_report(const struct window *window, uint64_t operations, uint64_t received_bytes,
                   const struct histogram *latency_ns) {
    double seconds = (double)(now_ns() - window->start_ns) / 1e9;
    double own_us = (double)(own_cpu_ns() - window->start_own_ns) / 1e3;
    struct usage end = usage_of(window->server);
    double count = (double)operations;
    printf("{\"operations\":%" PRIu64 ",\"seconds\":%.6f,\"per_second\":%.1f", operations, seconds, count / seconds);
    printf(",\"server_cpu_us\":%.5f", (double)(end.cpu_ns - window->start.cpu_ns) / 1e3 / count);
    printf(",\"load_cpu_us\":%.5f,\"received_bytes\":%.1f", own_us / count, (double)received_bytes / count);
    printf(",\"written_bytes\":%.1f", (double)(end.written_bytes - window->start.written_bytes) / count);
    printf(",\"rss_before_bytes\":%" PRIu64 ",\"rss_after_bytes\":%" PRIu64, window->start.rss_bytes, end.rss_bytes);
    if (latency_ns)
        printf(",\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f", (double)histogram_at(latency_ns, 0.5) / 1e3,
               (double)histogram_at(latency_ns, 0.99) / 1e3, (double)latency_ns->max / 1e3);
    puts("}");
}
