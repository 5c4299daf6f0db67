/* Sockets that do nothing: how fast they open, and what the server's memory grows by. */

#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>

#include "base.h"
#include "connection.h"
#include "load.h"

static void arrived(void *context, struct connection *connection, const struct piece *piece) {
    (void)context, (void)connection, (void)piece;
}

void idle_main(struct options *options) {
    struct crowd crowd = {.wire = wire_named(option_text(options, "wire", "")), .arrived = arrived};
    crowd.port = (uint16_t)option_number(options, "port", 0);
    uint32_t count = (uint32_t)option_number(options, "connections", 1000);
    uint32_t at_once = (uint32_t)option_number(options, "window", 64);
    uint64_t settle_milliseconds = option_number(options, "settle-milliseconds", 1000);
    pid_t server = (pid_t)option_number(options, "server", 0);
    options_end(options);
    struct connection *connections = take(count, sizeof *connections);
    for (uint32_t index = 0; index < count; index++)
        connections[index] = (struct connection){.role = IDLES, .number = index, .target = ""};

    struct window window = window_open(server);
    crowd_open(&crowd, connections, count, at_once);
    double seconds = (double)(now_ns() - window.start_ns) / 1e9;
    struct usage opened = usage_of(server);
    /* What belongs to opening only may be freed now. */
    uint64_t end_ns = now_ns() + settle_milliseconds * 1000000u;
    while (now_ns() < end_ns) crowd_wait(&crowd, end_ns - now_ns());
    struct usage settled = usage_of(server);

    double grown = (double)settled.rss_bytes - (double)window.start.rss_bytes;
    printf("{\"operations\":%u,\"seconds\":%.6f,\"per_second\":%.1f", count, seconds, count / seconds);
    printf(",\"server_cpu_us\":%.3f", (double)(opened.cpu_ns - window.start.cpu_ns) / 1e3 / count);
    printf(",\"load_cpu_us\":%.3f", (double)(own_cpu_ns() - window.start_own_ns) / 1e3 / count);
    printf(",\"rss_each_bytes\":%.1f", grown / count);
    printf(",\"rss_before_bytes\":%lu,\"rss_after_bytes\":%lu}\n", (unsigned long)window.start.rss_bytes,
           (unsigned long)settled.rss_bytes);
    for (uint32_t index = 0; index < count; index++) connection_close(&connections[index]);
}
