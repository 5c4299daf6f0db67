/* The load on PostgreSQL: one statement, prepared, from as many connections and as many under way on each as asked for.

   Each statement is a transaction of its own, also where several are under way (libpq's pipeline mode with a sync
   behind each). Parameters: $1 the connection's number, $2 its sender, $3 its receiver, $4 a content. */

#define _GNU_SOURCE
#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base.h"

#define WINDOW_MAX 1024
#define TEXT_OID 25
#define CONTENT_MAX 4096

struct client {
    PGconn *connection;
    char number[16], sender[16], receiver[16];
    uint32_t asked, answered;
    uint64_t asked_ns[WINDOW_MAX];
    int wants_out;
};

struct load {
    struct client *clients;
    uint32_t count, window;
    uint64_t rows_wanted, answers;
    char content[CONTENT_MAX];
    struct histogram latency;
    int epoll;
};

static void flush(struct load *load, struct client *client) {
    int more = PQflush(client->connection);
    if (more < 0) die("PostgreSQL: %s", PQerrorMessage(client->connection));
    if (more == client->wants_out) return;
    client->wants_out = more;
    struct epoll_event event = {.events = EPOLLIN | (more ? EPOLLOUT : 0), .data.ptr = client};
    epoll_ctl(load->epoll, EPOLL_CTL_MOD, PQsocket(client->connection), &event);
}

static void ask(struct load *load, struct client *client, uint64_t now) {
    const char *values[] = {client->number, client->sender, client->receiver, load->content};
    client->asked_ns[client->asked++ % WINDOW_MAX] = now;
    if (!PQsendQueryPrepared(client->connection, "load", 4, values, NULL, NULL, 0) ||
        !PQpipelineSync(client->connection))
        die("PostgreSQL: %s", PQerrorMessage(client->connection));
}

static void take_answers(struct load *load, struct client *client) {
    if (!PQconsumeInput(client->connection)) die("PostgreSQL: %s", PQerrorMessage(client->connection));
    while (client->answered < client->asked && !PQisBusy(client->connection)) {
        PGresult *result = PQgetResult(client->connection);
        /* Between a statement's results and its sync libpq says nothing once. */
        if (!result) continue;
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_PIPELINE_SYNC) {
            histogram_add(&load->latency, now_ns() - client->asked_ns[client->answered++ % WINDOW_MAX]);
            load->answers++;
        } else if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            die("PostgreSQL: %s", PQresultErrorMessage(result));
        } else if (load->rows_wanted && (uint64_t)PQntuples(result) != load->rows_wanted) {
            die("an answer has %d rows, not %lu", PQntuples(result), (unsigned long)load->rows_wanted);
        }
        PQclear(result);
    }
}

static void open_client(struct load *load, struct client *client, uint32_t number, const char *url, const char *sql) {
    Oid types[] = {TEXT_OID, TEXT_OID, TEXT_OID, TEXT_OID};
    client->connection = PQconnectdb(url);
    if (PQstatus(client->connection) != CONNECTION_OK) die("PostgreSQL: %s", PQerrorMessage(client->connection));
    snprintf(client->number, sizeof client->number, "%u", number);
    snprintf(client->sender, sizeof client->sender, "s%u", number);
    snprintf(client->receiver, sizeof client->receiver, "r%u", number);
    PGresult *result = PQprepare(client->connection, "load", sql, 4, types);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) die("PostgreSQL: %s", PQresultErrorMessage(result));
    PQclear(result);
    if (PQsetnonblocking(client->connection, 1) || !PQenterPipelineMode(client->connection))
        die("PostgreSQL: %s", PQerrorMessage(client->connection));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, PQsocket(client->connection), &event)) die("epoll: %s", strerror(errno));
}

/* Keeps the windows full until each client has asked `until` times or time is up, and all is answered. */
static void run(struct load *load, uint32_t until, uint64_t end_ns) {
    for (;;) {
        uint64_t now = now_ns();
        int over = now >= end_ns, done = 1;
        for (uint32_t index = 0; index < load->count; index++) {
            struct client *client = &load->clients[index];
            uint32_t before = client->asked;
            while (!over && client->asked < until && client->asked - client->answered < load->window)
                ask(load, client, now);
            if (client->asked != before) flush(load, client);
            done = done && (over || client->asked == until) && client->answered == client->asked;
        }
        if (done) return;
        struct epoll_event events[64];
        int ready = epoll_wait(load->epoll, events, 64, 10000);
        if (ready == 0) die("no answer for 10 s, after %lu", (unsigned long)load->answers);
        for (int index = 0; index < ready; index++) {
            struct client *client = events[index].data.ptr;
            if (events[index].events & EPOLLOUT) flush(load, client);
            take_answers(load, client);
        }
    }
}

int main(int argc, char **argv) {
    struct options options = options_of(argc - 1, argv + 1);
    struct load *load = take(1, sizeof *load);
    const char *url = option_text(&options, "url", ""), *sql = option_text(&options, "sql", "");
    load->count = (uint32_t)option_number(&options, "connections", 1);
    load->window = (uint32_t)option_number(&options, "window", 1);
    load->rows_wanted = option_number(&options, "rows", 0);
    /* 0 where the statement has no use for one. */
    uint64_t bytes = option_number(&options, "bytes", 150);
    uint32_t warmup = (uint32_t)option_number(&options, "warmup", 10);
    uint64_t milliseconds = option_number(&options, "milliseconds", 1000);
    pid_t server = (pid_t)option_number(&options, "server", 0);
    options_end(&options);
    if (bytes >= CONTENT_MAX || load->window > WINDOW_MAX) die("window or bytes out of range");
    memset(load->content, '.', bytes);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->clients = take(load->count, sizeof *load->clients);
    for (uint32_t index = 0; index < load->count; index++) open_client(load, &load->clients[index], index, url, sql);

    run(load, warmup, UINT64_MAX);
    uint64_t warm = load->answers;
    memset(&load->latency, 0, sizeof load->latency);
    struct window window = window_open(server);
    run(load, UINT32_MAX, window.start_ns + milliseconds * 1000000u);
    window_report(&window, load->answers - warm, 0, &load->latency);
    return 0;
}
