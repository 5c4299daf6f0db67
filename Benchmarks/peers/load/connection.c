/* Sockets: opening them, writing what is queued, and reading all that waits before any of it is looked at. */

#define _GNU_SOURCE
#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base.h"

/* Big, so that a read is amortized over all that waits; it stays in the second-level cache. */
#define READ_BYTES (1u << 18)
#define KEPT_BYTES (1u << 22)
#define EVENTS 256

/* A kept beginning is put before what is read next. The zeros at the end stop a number that was cut. */
static uint8_t buffer[KEPT_BYTES + READ_BYTES + 16];

static void watch(struct crowd *crowd, struct connection *connection, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(crowd->epoll, operation, connection->fd, &event) != 0) die("epoll_ctl: %s", strerror(errno));
}

static void queue(struct connection *connection, const void *bytes, size_t count, size_t room) {
    if (connection->out_start == connection->out_bytes) connection->out_start = connection->out_bytes = 0;
    if (connection->out_bytes + room > connection->out_room) {
        connection->out_room = 2 * (connection->out_bytes + room);
        connection->out = realloc(connection->out, connection->out_room);
        if (!connection->out) die("no memory for %zu bytes of output", connection->out_room);
    }
    if (bytes) memcpy(connection->out + connection->out_bytes, bytes, count);
    connection->out_bytes += count;
}

void connection_send(struct crowd *crowd, struct connection *connection, const char *content, size_t content_bytes) {
    queue(connection, NULL, 0, 3 * content_bytes + 1024);
    connection->out_bytes +=
        crowd->wire->send(connection, content, content_bytes, connection->out + connection->out_bytes);
}

void connection_flush(struct crowd *crowd, struct connection *connection) {
    while (connection->out_start < connection->out_bytes) {
        ssize_t count = send(connection->fd, connection->out + connection->out_start,
                             connection->out_bytes - connection->out_start, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) break;
        if (count < 0) die("send: %s", strerror(errno));
        connection->out_start += (size_t)count;
    }
    bool wants_out = connection->out_start < connection->out_bytes;
    if (wants_out == connection->wants_out) return;
    connection->wants_out = wants_out;
    watch(crowd, connection, EPOLL_CTL_MOD, EPOLLIN | (wants_out ? EPOLLOUT : 0));
}

static void keep(struct connection *connection, const uint8_t *at, size_t bytes) {
    if (bytes > KEPT_BYTES) die("a piece of more than %u bytes", KEPT_BYTES);
    if (bytes > connection->kept_room) {
        free(connection->kept);
        connection->kept_room = 2 * bytes;
        connection->kept = take(connection->kept_room, 1);
    }
    if (bytes) memcpy(connection->kept, at, bytes);
    connection->kept_bytes = bytes;
}

/* Reads once, behind what was kept. Returns how many bytes lie in the buffer now, 0 if nothing could be read. */
static size_t fill(struct crowd *crowd, struct connection *connection) {
    size_t kept = connection->kept_bytes;
    if (kept) memcpy(buffer, connection->kept, kept);
    ssize_t count = recv(connection->fd, buffer + kept, READ_BYTES, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (count < 0) die("recv: %s", strerror(errno));
    if (count == 0) die("the server closed a connection");
    crowd->received_bytes += (uint64_t)count;
    return kept + (size_t)count;
}

static void receive(struct crowd *crowd, struct connection *connection) {
    size_t bytes = fill(crowd, connection);
    const uint8_t *at = buffer, *end = buffer + bytes;
    if (!bytes) return;
    while (at < end) {
        struct piece piece = crowd->wire->read(connection, at, (size_t)(end - at));
        if (piece.kind == INCOMPLETE) break;
        if (piece.kind == PINGED) {
            queue(connection, piece.answer, piece.answer_bytes, piece.answer_bytes);
            connection_flush(crowd, connection);
        } else if (piece.kind != NOISE) {
            crowd->arrived(crowd->context, connection, &piece);
        }
        at += piece.bytes;
    }
    keep(connection, at, (size_t)(end - at));
}

bool crowd_wait(struct crowd *crowd, uint64_t timeout_ns) {
    struct epoll_event events[EVENTS];
    struct timespec timeout = {(time_t)(timeout_ns / 1000000000), (long)(timeout_ns % 1000000000)};
    int count = epoll_pwait2(crowd->epoll, events, EVENTS, &timeout, NULL);
    if (count < 0 && errno != EINTR) die("epoll_pwait2: %s", strerror(errno));
    for (int index = 0; index < count; index++) {
        struct connection *connection = events[index].data.ptr;
        if (events[index].events & EPOLLOUT) connection_flush(crowd, connection);
        if (events[index].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) receive(crowd, connection);
    }
    return count > 0;
}

/* Opening. */

static void say_next(struct crowd *crowd, struct connection *connection) {
    struct opening *opening = connection->opening;
    queue(connection, opening->step[connection->step].say, opening->step[connection->step].say_bytes,
          opening->step[connection->step].say_bytes);
    connection_flush(crowd, connection);
}

static void dial(struct crowd *crowd, struct connection *connection) {
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0) die("socket: %s", strerror(errno));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(crowd->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* On the loopback a connection is there at once, so this may block. */
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("connect to port %u: %s", crowd->port, strerror(errno));
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    connection->opening = take(1, sizeof(struct opening));
    connection->step = 0;
    crowd->wire->open(connection, connection->opening);
    watch(crowd, connection, EPOLL_CTL_ADD, EPOLLIN);
    say_next(crowd, connection);
}

/* How much of `at` is the answer to this step; 0 if it isn't all there. */
static size_t answered(const struct opening *opening, int step, const uint8_t *at, size_t bytes) {
    const uint8_t *found = memmem(at, bytes, opening->step[step].token, opening->step[step].token_bytes);
    if (!found) {
        if (bytes > 2 * OPENING_BYTES) die("no answer at opening but: %.200s", at);
        return 0;
    }
    size_t end = (size_t)(found - at) + opening->step[step].token_bytes;
    for (int frames = opening->step[step].frames; frames; frames--) {
        struct frame frame = websocket_read(at + end, bytes - end);
        if (!frame.bytes) return 0;
        end += frame.bytes;
    }
    return end;
}

/* True when the connection is open. */
static bool listen_to_opening(struct crowd *crowd, struct connection *connection) {
    size_t bytes = fill(crowd, connection), start = 0;
    if (!bytes) return false;
    if (connection->step == 0 && memcmp(buffer, "HTTP/1.1 ", 9) == 0 && memcmp(buffer + 9, "101", 3) != 0)
        die("no WebSocket: %.300s", buffer);
    while (connection->step < connection->opening->steps) {
        size_t count = answered(connection->opening, connection->step, buffer + start, bytes - start);
        if (!count) break;
        start += count;
        if (++connection->step < connection->opening->steps) say_next(crowd, connection);
    }
    keep(connection, buffer + start, bytes - start);
    if (connection->step < connection->opening->steps) return false;
    free(connection->opening);
    connection->opening = NULL;
    return true;
}

void crowd_open(struct crowd *crowd, struct connection *connections, unsigned count, unsigned at_once) {
    if (!crowd->epoll) crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
    unsigned dialled = 0, opened = 0;
    while (opened < count) {
        while (dialled < count && dialled - opened < at_once) dial(crowd, &connections[dialled++]);
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(crowd->epoll, events, EVENTS, 10000);
        if (ready == 0) die("%u of %u connections open, and nothing comes", opened, count);
        for (int index = 0; index < ready; index++) {
            struct connection *connection = events[index].data.ptr;
            if (events[index].events & EPOLLOUT) connection_flush(crowd, connection);
            /* One that is open may be pinged, or told something, while others open. */
            if (!connection->opening)
                receive(crowd, connection);
            else if (listen_to_opening(crowd, connection))
                opened++;
        }
    }
}

void connection_close(struct connection *connection) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(connection->fd);
}
