/* How each server is spoken to: what opens a connection, what publishes or asks, and how what comes is cut up.

   Everything is parsed where it was read; nothing is copied but a frame that a read cut in two. */

#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTENT_MAX 4096
#define OPENING_STEPS 3
#define OPENING_BYTES 1024

/* What a connection is for. */
enum role { SENDS, RECEIVES, ASKS, IDLES };

/* What one thing that came was. */
enum kind {
    INCOMPLETE, /* the rest of it hasn't been read yet */
    NOISE,      /* of no matter here */
    DELIVERY,   /* a message; `content` is where it begins */
    REPLY,      /* the last thing that was asked has been done */
    PINGED,     /* wants `answer` */
};

struct piece {
    enum kind kind;
    size_t bytes;
    const uint8_t *content;
    const char *answer;
    size_t answer_bytes;
};

/* Saying something, then waiting for what must come back: a token, or (`frames` > 0) that many WebSocket frames. */
struct opening {
    int steps;
    struct {
        uint8_t say[OPENING_BYTES];
        size_t say_bytes;
        uint8_t token[32];
        size_t token_bytes;
        int frames;
    } step[OPENING_STEPS];
};

struct connection {
    int fd;
    enum role role;
    unsigned number;      /* among those of its role, from 0 */
    unsigned room;
    const char *target;   /* the room's or receiver's name on the server */
    const char *question; /* what an asker asks */

    const uint8_t *head;  /* what a delivery begins with, where that never changes */
    size_t head_bytes;
    uint64_t pending;     /* elements that the reply which is being read still lacks (RESP) */
    uint64_t rows;        /* rows of the last reply, where they are looked at */
    bool counts_rows;

    uint8_t *kept;        /* the beginning of a piece whose end hasn't been read */
    size_t kept_bytes, kept_room;
    uint8_t *out;
    size_t out_bytes, out_start, out_room;
    bool wants_out;

    struct opening *opening;
    int step;
};

struct wire {
    const char *name;
    bool acknowledges; /* a REPLY comes for all that is published */
    void (*open)(struct connection *connection, struct opening *opening);
    /* Writes the bytes that send `content`; returns how many. There is room for three times as many and 1 KiB. */
    size_t (*send)(struct connection *connection, const char *content, size_t content_bytes, uint8_t *out);
    struct piece (*read)(struct connection *connection, const uint8_t *at, size_t bytes);
};

extern const struct wire *const wires[];
const struct wire *wire_named(const char *name);

/* WebSocket, which three of them share. */
struct frame {
    uint8_t opcode;
    bool final;
    const uint8_t *payload;
    size_t payload_bytes;
    size_t bytes; /* 0: incomplete */
};
struct frame websocket_read(const uint8_t *at, size_t bytes);
size_t websocket_write(uint8_t opcode, const void *payload, size_t payload_bytes, uint8_t *out);
void websocket_open(struct opening *opening, const char *path, const char *protocol);
struct piece websocket_control(struct frame frame);

void opening_say(struct opening *opening, const void *say, size_t say_bytes, const void *token, size_t token_bytes);

#endif
