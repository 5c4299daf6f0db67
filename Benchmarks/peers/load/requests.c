/* Asking and being answered: durable sends that wait for their acknowledgement, and queries.

   Each connection has `window` requests under way. All replies are counted; a refusal ends the run. */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "connection.h"
#include "load.h"

#define WINDOW_MAX 1024
#define STALL_NS 10000000000u

struct asker {
    uint32_t asked, answered;
    uint64_t asked_ns[WINDOW_MAX];
};

struct requests {
    struct crowd crowd;
    struct asker *askers;
    uint64_t answers, rows_wanted;
    struct histogram latency;
};

static void arrived(void *context, struct connection *connection, const struct piece *piece) {
    struct requests *requests = context;
    /* Who is a member of what it writes to may hear of it besides. */
    if (piece->kind != REPLY) return;
    struct asker *asker = &requests->askers[connection->number];
    if (asker->answered == asker->asked) die("an answer came to nothing");
    if (requests->rows_wanted && connection->counts_rows && connection->rows != requests->rows_wanted)
        die("an answer has %lu rows, not %lu", (unsigned long)connection->rows, (unsigned long)requests->rows_wanted);
    /* One answer of each connection is enough: they are the same, and looking is dear. */
    connection->counts_rows = false;
    histogram_add(&requests->latency, now_ns() - asker->asked_ns[asker->answered++ % WINDOW_MAX]);
    requests->answers++;
}

void requests_main(struct options *options) {
    struct requests *requests = take(1, sizeof *requests);
    requests->crowd.wire = wire_named(option_text(options, "wire", ""));
    requests->crowd.port = (uint16_t)option_number(options, "port", 0);
    requests->crowd.arrived = arrived;
    requests->crowd.context = requests;
    requests->rows_wanted = option_number(options, "rows", 0);
    uint32_t count = (uint32_t)option_number(options, "connections", 1);
    uint32_t window = (uint32_t)option_number(options, "window", 1);
    uint32_t bytes = (uint32_t)option_number(options, "bytes", 150);
    /* Of each connection. */
    uint32_t warmup = (uint32_t)option_number(options, "warmup", 10);
    uint32_t most = (uint32_t)option_number(options, "messages", 10000000);
    uint64_t milliseconds = option_number(options, "milliseconds", 1000);
    /* With `receivers` each sender writes to all of them in turn, without to one of its own. */
    uint32_t receivers = (uint32_t)option_number(options, "receivers", 0);
    const char *question = option_text(options, "question", NULL);
    pid_t server = (pid_t)option_number(options, "server", 0);
    struct names names = names_of(options, "receiver-names", receivers ? receivers : count, "r%u");
    options_end(options);
    if (window > WINDOW_MAX || bytes > CONTENT_MAX) die("window or bytes out of range");

    struct connection *connections = take(count, sizeof *connections);
    requests->askers = take(count, sizeof *requests->askers);
    for (uint32_t index = 0; index < count; index++) {
        struct connection *connection = &connections[index];
        *connection = (struct connection){.number = index, .target = receivers ? names.name[0] : names.name[index]};
        connection->role = question ? ASKS : SENDS;
        if (question) {
            connection->question = name_of(question, index);
            connection->counts_rows = true;
        }
    }
    crowd_open(&requests->crowd, connections, count, 64);

    char content[CONTENT_MAX];
    for (size_t index = 0; index < sizeof content; index++) content[index] = "lorem ipsum dolor sit amet "[index % 27];
    content[0] = '#';
    struct window measured = {0};
    uint64_t warm = 0, end_ns = UINT64_MAX, last_ns = now_ns();
    uint32_t until = warmup;
    for (;;) {
        uint64_t now = now_ns();
        bool over = now >= end_ns, done = true;
        for (uint32_t index = 0; index < count; index++) {
            struct asker *asker = &requests->askers[index];
            bool asks = false;
            while (!over && asker->asked < until && asker->asked - asker->answered < window) {
                if (receivers) connections[index].target = names.name[asker->asked % receivers];
                asker->asked_ns[asker->asked++ % WINDOW_MAX] = now;
                connection_send(&requests->crowd, &connections[index], content, bytes);
                asks = true;
            }
            if (asks) connection_flush(&requests->crowd, &connections[index]);
            done = done && (over || asker->asked == until) && asker->answered == asker->asked;
        }
        if (done && measured.start_ns) break;
        if (done) {
            warm = requests->answers;
            memset(&requests->latency, 0, sizeof requests->latency);
            requests->crowd.received_bytes = 0;
            until = most;
            measured = window_open(server);
            end_ns = measured.start_ns + milliseconds * 1000000u;
        } else if (crowd_wait(&requests->crowd, 1000000000u)) {
            last_ns = now;
        } else if (now > last_ns + STALL_NS) {
            die("no answer for 10 s, after %lu", (unsigned long)requests->answers);
        }
    }
    window_report(&measured, requests->answers - warm, requests->crowd.received_bytes, &requests->latency);
}
