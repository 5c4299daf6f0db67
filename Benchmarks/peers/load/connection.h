/* Connections to one server, driven by one epoll. */

#ifndef CONNECTION_H
#define CONNECTION_H

#include "wire.h"

struct crowd {
    const struct wire *wire;
    uint16_t port;
    int epoll;
    uint64_t received_bytes;
    /* Told of each DELIVERY and REPLY. */
    void (*arrived)(void *context, struct connection *connection, const struct piece *piece);
    void *context;
};

/* Opens `count` connections, at most `at_once` at a time, each through all that its protocol says at opening. */
void crowd_open(struct crowd *crowd, struct connection *connections, unsigned count, unsigned at_once);

/* Queues one message, or the connection's question. `connection_flush` writes what is queued, in one write. */
void connection_send(struct crowd *crowd, struct connection *connection, const char *content, size_t content_bytes);
void connection_flush(struct crowd *crowd, struct connection *connection);

/* Waits until something can be read, at most `timeout_ns`, and reads it. False if nothing came. */
bool crowd_wait(struct crowd *crowd, uint64_t timeout_ns);

/* Resets the connection, so that its port is free at once. */
void connection_close(struct connection *connection);

#endif
