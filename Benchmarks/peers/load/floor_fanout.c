/* The least that fan-out costs: `floor_fanout RECORD_BYTES` prints its port, then copies records to as many sockets.

   It reads all that waits of all senders, and writes each subscriber what came for its room, in one write. There is no
   protocol, no log and no parsing: a record of fixed size begins with the number of its room. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base.h"

#define READ_BYTES (1u << 18)
#define ROOMS 1024
#define EVENTS 256
#define HELLO_BYTES 5

struct bytes {
    uint8_t *at;
    size_t count, room;
};

struct peer {
    int fd;
    uint32_t room;
    int said_hello;
    struct bytes rest; /* a sender's: a record cut in two; a subscriber's: what didn't go into its socket */
};

struct room {
    struct peer **subscribers;
    size_t count;
    struct bytes batch;
};

static struct room rooms[ROOMS];
static uint8_t buffer[READ_BYTES];
static size_t record_bytes;
static int poll_fd;

static void append(struct bytes *bytes, const uint8_t *at, size_t count) {
    if (bytes->count + count > bytes->room) {
        bytes->room = 2 * (bytes->count + count);
        bytes->at = realloc(bytes->at, bytes->room);
        if (!bytes->at) die("no memory for %zu bytes", bytes->room);
    }
    memcpy(bytes->at + bytes->count, at, count);
    bytes->count += count;
}

static void watch(struct peer *peer, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = peer};
    if (epoll_ctl(poll_fd, operation, peer->fd, &event) != 0) die("epoll_ctl: %s", strerror(errno));
}

static size_t write_some(struct peer *peer, const uint8_t *at, size_t count) {
    ssize_t written = send(peer->fd, at, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written >= 0) return (size_t)written;
    /* A client that has gone is told by its next read. */
    return errno == EAGAIN ? 0 : count;
}

static void deliver(struct room *room) {
    for (size_t index = 0; index < room->count; index++) {
        struct peer *peer = room->subscribers[index];
        if (peer->rest.count) {
            append(&peer->rest, room->batch.at, room->batch.count);
            continue;
        }
        size_t written = write_some(peer, room->batch.at, room->batch.count);
        if (written == room->batch.count) continue;
        append(&peer->rest, room->batch.at + written, room->batch.count - written);
        watch(peer, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
    room->batch.count = 0;
}

static void write_rest(struct peer *peer) {
    size_t written = write_some(peer, peer->rest.at, peer->rest.count);
    memmove(peer->rest.at, peer->rest.at + written, peer->rest.count - written);
    peer->rest.count -= written;
    if (!peer->rest.count) watch(peer, EPOLL_CTL_MOD, EPOLLIN);
}

static void greet(struct peer *peer) {
    memcpy(&peer->room, buffer + 1, 4);
    if (peer->room >= ROOMS) die("no room %u", peer->room);
    struct room *room = &rooms[peer->room];
    if (buffer[0] == '+') {
        room->subscribers = realloc(room->subscribers, (room->count + 1) * sizeof *room->subscribers);
        room->subscribers[room->count++] = peer;
    }
    peer->said_hello = 1;
    write_some(peer, (const uint8_t *)"+", 1);
}

/* Records of a sender go to their room's batch; half a record waits for its other half. */
static void take_in(struct peer *peer) {
    size_t kept = peer->rest.count;
    if (kept) memcpy(buffer, peer->rest.at, kept);
    ssize_t count = recv(peer->fd, buffer + kept, READ_BYTES - kept, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    /* The one client ends with all its connections. */
    if (count <= 0) exit(0);
    if (!peer->said_hello) {
        if (count != HELLO_BYTES) die("a hello of %zd bytes", count);
        greet(peer);
        return;
    }
    size_t bytes = kept + (size_t)count, whole = bytes - bytes % record_bytes;
    if (whole) append(&rooms[peer->room].batch, buffer, whole);
    peer->rest.count = 0;
    if (bytes > whole) append(&peer->rest, buffer + whole, bytes - whole);
}

static void welcome(int listener) {
    struct peer *peer = take(1, sizeof *peer);
    peer->fd = accept(listener, NULL, NULL);
    if (peer->fd < 0) die("accept: %s", strerror(errno));
    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    watch(peer, EPOLL_CTL_ADD, EPOLLIN);
}

int main(int argc, char **argv) {
    record_bytes = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    if (record_bytes < 32 || record_bytes > 4096) die("usage: floor_fanout RECORD_BYTES, 32 to 4096");
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096) ||
        getsockname(listener, (struct sockaddr *)&address, &length))
        die("listen: %s", strerror(errno));
    poll_fd = epoll_create1(0);
    struct peer self = {.fd = listener};
    watch(&self, EPOLL_CTL_ADD, EPOLLIN);
    printf("%u\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(poll_fd, events, EVENTS, -1);
        for (int index = 0; index < count; index++) {
            struct peer *peer = events[index].data.ptr;
            if (peer == &self)
                welcome(listener);
            else if (events[index].events & EPOLLOUT)
                write_rest(peer);
            else
                take_in(peer);
        }
        for (struct room *room = rooms; room < rooms + ROOMS; room++)
            if (room->batch.count) deliver(room);
    }
}
