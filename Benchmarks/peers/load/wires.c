/* The servers' protocols. */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "wire.h"

static const struct piece incomplete = {.kind = INCOMPLETE};

static void say(struct opening *opening, const char *text, const char *token) {
    opening_say(opening, text, strlen(text), token, strlen(token));
}

/* Keeps what every delivery of this connection begins with, so that reading one is a comparison. */
static void keep_head(struct connection *connection, const char *text) {
    connection->head = (const uint8_t *)strdup(text);
    connection->head_bytes = strlen(text);
}

static bool begins(const uint8_t *at, size_t bytes, const char *text) {
    size_t length = strlen(text);
    return bytes >= length && memcmp(at, text, length) == 0;
}

/* A line that ends with CR LF: its length without them, or -1. */
static ptrdiff_t line(const uint8_t *at, size_t bytes) {
    const uint8_t *end = memchr(at, '\r', bytes);
    return end && (size_t)(end - at) + 1 < bytes ? end - at : -1;
}

static long number_at(const uint8_t *at) { return strtol((const char *)at, NULL, 10); }

/* Redis: RESP 2. PUBLISH and SUBSCRIBE; XADD; or a question as it stands in the command line, words by spaces. */

static size_t resp_words(const char *text, uint8_t *out) {
    char copy[512], *words[16], *rest = NULL;
    int count = 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok_r(copy, " ", &rest); word && count < 16; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    int bytes = sprintf((char *)out, "*%d\r\n", count);
    for (int index = 0; index < count; index++)
        bytes += sprintf((char *)out + bytes, "$%zu\r\n%s\r\n", strlen(words[index]), words[index]);
    return (size_t)bytes;
}

static void redis_open(struct connection *connection, struct opening *opening) {
    if (connection->role != RECEIVES) {
        say(opening, "PING\r\n", "+PONG\r\n");
        return;
    }
    char text[256];
    snprintf(text, sizeof text, "SUBSCRIBE %s\r\n", connection->target);
    say(opening, text, ":1\r\n");
    snprintf(text, sizeof text, "*3\r\n$7\r\nmessage\r\n$%zu\r\n%s\r\n$", strlen(connection->target),
             connection->target);
    keep_head(connection, text);
}

static size_t redis_publish(struct connection *connection, const char *content, size_t content_bytes, uint8_t *out) {
    int bytes = sprintf((char *)out, "*3\r\n$7\r\nPUBLISH\r\n$%zu\r\n%s\r\n$%zu\r\n", strlen(connection->target),
                        connection->target, content_bytes);
    memcpy(out + bytes, content, content_bytes);
    memcpy(out + bytes + content_bytes, "\r\n", 2);
    return (size_t)bytes + content_bytes + 2;
}

static size_t redis_add(struct connection *connection, const char *content, size_t content_bytes, uint8_t *out) {
    if (connection->question) return resp_words(connection->question, out);
    int bytes = sprintf((char *)out, "*5\r\n$4\r\nXADD\r\n$%zu\r\n%s\r\n$1\r\n*\r\n$1\r\nm\r\n$%zu\r\n",
                        strlen(connection->target), connection->target, content_bytes);
    memcpy(out + bytes, content, content_bytes);
    memcpy(out + bytes + content_bytes, "\r\n", 2);
    return (size_t)bytes + content_bytes + 2;
}

static struct piece redis_read(struct connection *connection, const uint8_t *at, size_t bytes) {
    if (connection->role == RECEIVES) {
        size_t head = connection->head_bytes;
        if (bytes < head + 8) return incomplete;
        if (memcmp(at, connection->head, head) != 0) die("unexpected from Redis: %.60s", at);
        long length = number_at(at + head);
        ptrdiff_t digits = line(at + head, bytes - head);
        if (digits < 0 || bytes < head + (size_t)digits + 4 + (size_t)length) return incomplete;
        size_t start = head + (size_t)digits + 2;
        return (struct piece){.kind = DELIVERY, .bytes = start + (size_t)length + 2, .content = at + start};
    }
    ptrdiff_t length = line(at, bytes);
    if (length < 0) return incomplete;
    struct piece piece = {.kind = NOISE, .bytes = (size_t)length + 2};
    bool top = connection->pending == 0;
    if (top) connection->pending = 1;
    if (*at == '*') {
        if (top) connection->rows = (uint64_t)number_at(at + 1);
        connection->pending += (uint64_t)number_at(at + 1);
    } else if (*at == '$' && at[1] != '-') {
        piece.bytes += (size_t)number_at(at + 1) + 2;
        if (bytes < piece.bytes) {
            if (top) connection->pending = 0;
            return incomplete;
        }
    } else if (*at == '-') {
        die("Redis: %.*s", (int)length, at);
    }
    if (--connection->pending == 0) piece.kind = REPLY;
    return piece;
}

/* NATS, core and JetStream. */

static const char nats_connect[] = "CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"c\"}\r\n";

static void nats_open(struct connection *connection, struct opening *opening) {
    char text[512];
    snprintf(text, sizeof text, "%sSUB %s 1\r\nPING\r\n", nats_connect, connection->target);
    if (connection->role != RECEIVES) snprintf(text, sizeof text, "%sPING\r\n", nats_connect);
    say(opening, text, "PONG\r\n");
    snprintf(text, sizeof text, "MSG %s 1 ", connection->target);
    keep_head(connection, text);
}

static size_t nats_publish(struct connection *connection, const char *content, size_t content_bytes, uint8_t *out) {
    int bytes = sprintf((char *)out, "PUB %s %zu\r\n", connection->target, content_bytes);
    memcpy(out + bytes, content, content_bytes);
    memcpy(out + bytes + content_bytes, "\r\n", 2);
    return (size_t)bytes + content_bytes + 2;
}

static struct piece nats_other(const uint8_t *at, size_t bytes) {
    ptrdiff_t length = line(at, bytes);
    if (length < 0) return incomplete;
    struct piece piece = {.kind = NOISE, .bytes = (size_t)length + 2};
    if (begins(at, bytes, "PING")) {
        piece.kind = PINGED;
        piece.answer = "PONG\r\n";
        piece.answer_bytes = 6;
    } else if (begins(at, bytes, "-ERR")) {
        die("NATS: %.*s", (int)length, at);
    }
    return piece;
}

static struct piece nats_read(struct connection *connection, const uint8_t *at, size_t bytes) {
    size_t head = connection->head_bytes;
    if (bytes < head) return begins(at, bytes, "MSG") ? incomplete : nats_other(at, bytes);
    if (memcmp(at, connection->head, head) != 0) return nats_other(at, bytes);
    ptrdiff_t digits = line(at + head, bytes - head);
    if (digits < 0) return incomplete;
    size_t start = head + (size_t)digits + 2, length = (size_t)number_at(at + head);
    if (bytes < start + length + 2) return incomplete;
    return (struct piece){.kind = DELIVERY, .bytes = start + length + 2, .content = at + start};
}

/* An acknowledged publish is a request: the stream answers to the subject that the message names. */
static void jetstream_open(struct connection *connection, struct opening *opening) {
    char text[512];
    snprintf(text, sizeof text, "%sSUB _INBOX.%u 1\r\nPING\r\n", nats_connect, connection->number);
    say(opening, text, "PONG\r\n");
    snprintf(text, sizeof text, "MSG _INBOX.%u 1 ", connection->number);
    keep_head(connection, text);
}

static size_t jetstream_publish(struct connection *connection, const char *content, size_t content_bytes,
                                uint8_t *out) {
    int bytes =
        sprintf((char *)out, "PUB log.%s _INBOX.%u %zu\r\n", connection->target, connection->number, content_bytes);
    memcpy(out + bytes, content, content_bytes);
    memcpy(out + bytes + content_bytes, "\r\n", 2);
    return (size_t)bytes + content_bytes + 2;
}

static struct piece jetstream_read(struct connection *connection, const uint8_t *at, size_t bytes) {
    struct piece piece = nats_read(connection, at, bytes);
    if (piece.kind != DELIVERY) return piece;
    if (!begins(piece.content, piece.bytes, "{\"stream\":")) die("JetStream: %.200s", piece.content);
    piece.kind = REPLY;
    return piece;
}

/* NATS over WebSocket, for sockets that do nothing. */
static void nats_ws_open(struct connection *connection, struct opening *opening) {
    (void)connection;
    uint8_t hello[256];
    char text[160];
    int bytes = snprintf(text, sizeof text, "%sPING\r\n", nats_connect);
    websocket_open(opening, "/", NULL);
    opening_say(opening, hello, websocket_write(2, text, (size_t)bytes, hello), "PONG\r\n", 6);
}

/* The server pings a while after opening; whatever else it says is of no matter to a socket that does nothing. */
static struct piece nats_ws_read(struct connection *connection, const uint8_t *at, size_t bytes) {
    static uint8_t pong[32];
    (void)connection;
    struct frame frame = websocket_read(at, bytes);
    if (!frame.bytes) return incomplete;
    if (frame.opcode >= 8) return websocket_control(frame);
    struct piece piece = {.kind = NOISE, .bytes = frame.bytes};
    if (begins(frame.payload, frame.payload_bytes, "PING")) {
        piece.kind = PINGED;
        piece.answer = (const char *)pong;
        piece.answer_bytes = websocket_write(2, "PONG\r\n", 6, pong);
    }
    return piece;
}

/* MQTT 3.1.1, QoS 0, over WebSocket. */

static size_t mqtt_text(uint8_t *out, const char *text) {
    size_t length = strlen(text);
    out[0] = (uint8_t)(length >> 8);
    out[1] = (uint8_t)length;
    memcpy(out + 2, text, length);
    return length + 2;
}

static void mqtt_open(struct connection *connection, struct opening *opening) {
    static const char letters[] = "srqi";
    char name[32];
    uint8_t packet[128] = {0x10, 0, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0xff, 0xff}, frame[160];
    snprintf(name, sizeof name, "%c%u", letters[connection->role], connection->number);
    size_t bytes = 12 + mqtt_text(packet + 12, name);
    packet[1] = (uint8_t)(bytes - 2);
    websocket_open(opening, "/mqtt", "mqtt");
    opening_say(opening, frame, websocket_write(2, packet, bytes, frame), "\x82\x04\x20\x02\x00\x00", 6);
    if (connection->role != RECEIVES) return;
    packet[0] = 0x82;
    packet[2] = 0;
    packet[3] = 1;
    bytes = 4 + mqtt_text(packet + 4, connection->target);
    packet[bytes++] = 0;
    packet[1] = (uint8_t)(bytes - 2);
    opening_say(opening, frame, websocket_write(2, packet, bytes, frame), "\x82\x05\x90\x03\x00\x01\x00", 7);
}

static size_t mqtt_publish(struct connection *connection, const char *content, size_t content_bytes, uint8_t *out) {
    uint8_t packet[CONTENT_MAX + 256];
    size_t rest = 2 + strlen(connection->target) + content_bytes, bytes = 1;
    packet[0] = 0x30;
    for (size_t left = rest; left || bytes == 1; left >>= 7)
        packet[bytes++] = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    bytes += mqtt_text(packet + bytes, connection->target);
    memcpy(packet + bytes, content, content_bytes);
    return websocket_write(2, packet, bytes + content_bytes, out);
}

/* Mosquitto sends each packet in a frame of its own. */
static struct piece mqtt_read(struct connection *connection, const uint8_t *at, size_t bytes) {
    (void)connection;
    struct frame frame = websocket_read(at, bytes);
    if (!frame.bytes) return incomplete;
    if (frame.opcode >= 8) return websocket_control(frame);
    struct piece piece = {.kind = NOISE, .bytes = frame.bytes};
    const uint8_t *packet = frame.payload;
    if ((packet[0] & 0xf0) != 0x30) return piece;
    do packet++;
    while (*packet & 0x80);
    packet++;
    piece.kind = DELIVERY;
    piece.content = packet + 2 + ((size_t)packet[0] << 8 | packet[1]);
    if (packet > frame.payload + 5) die("an MQTT packet that is none");
    return piece;
}

/* Quipu: a session socket each, of accounts s0, s1, … (who send), r0, r1, … (who receive) and so on. */

static void quipu_open(struct connection *connection, struct opening *opening) {
    static const char letters[] = "srri";
    char path[64];
    snprintf(path, sizeof path, "/ws?account=%c%u", letters[connection->role], connection->number);
    websocket_open(opening, path, NULL);
    opening->step[0].frames = 1;
}

static size_t quipu_send(struct connection *connection, const char *content, size_t content_bytes, uint8_t *out) {
    char text[CONTENT_MAX + 256];
    if (connection->question) return websocket_write(1, connection->question, strlen(connection->question), out);
    /* A room's name is its UUID, a receiver's is one of ours. */
    const char *key = strlen(connection->target) == 36 ? "room" : "to";
    int bytes = sprintf(text, "{\"type\":1,\"%s\":\"%s\",\"content\":\"%.*s\"}", key, connection->target,
                        (int)content_bytes, content);
    return websocket_write(1, text, (size_t)bytes, out);
}

static uint64_t occurrences(const uint8_t *at, size_t bytes, const char *text) {
    uint64_t count = 0;
    const uint8_t *end = at + bytes;
    while ((at = memmem(at, (size_t)(end - at), text, strlen(text)))) {
        count++;
        at += strlen(text);
    }
    return count;
}

static struct piece quipu_answer(struct connection *connection, struct frame frame) {
    struct piece piece = {.kind = frame.final ? REPLY : NOISE, .bytes = frame.bytes};
    if (frame.opcode == 1) {
        size_t head = frame.payload_bytes < 100 ? frame.payload_bytes : 100;
        bool right = memmem(frame.payload, head, "\"code\":50000", 12) ||
                     begins(frame.payload, frame.payload_bytes, "{\"total_counts\":");
        if (!right) die("Quipu: %.*s", (int)frame.payload_bytes, frame.payload);
        connection->rows = 0;
    }
    /* Rows of a history and of unread counts alike name their sender once. */
    if (connection->counts_rows)
        connection->rows += occurrences(frame.payload, frame.payload_bytes, "\"send_id\":");
    return piece;
}

static struct piece quipu_read(struct connection *connection, const uint8_t *at, size_t bytes) {
    struct frame frame = websocket_read(at, bytes);
    if (!frame.bytes) return incomplete;
    if (frame.opcode >= 8) return websocket_control(frame);
    if (connection->question) return quipu_answer(connection, frame);
    struct piece piece = {.kind = DELIVERY, .bytes = frame.bytes};
    static const char ack[] = "{\"from\":\"Server\",\"code\":5000";
    if (begins(frame.payload, frame.payload_bytes, ack)) {
        uint8_t code = frame.payload[sizeof ack - 1];
        if (code != '2' && code != '3') die("Quipu: %.*s", (int)frame.payload_bytes, frame.payload);
        piece.kind = REPLY;
        return piece;
    }
    /* Every content begins with a #, and nothing before it in a frame has one. */
    piece.content = memchr(frame.payload, '#', frame.payload_bytes);
    if (!piece.content) die("Quipu: %.*s", (int)frame.payload_bytes, frame.payload);
    return piece;
}

/* uWebSockets, by uws.c: `+room` subscribes and is answered, a room and what is to be said there publishes. */

static void uws_open(struct connection *connection, struct opening *opening) {
    websocket_open(opening, "/", NULL);
    if (connection->role != RECEIVES) return;
    char text[64];
    uint8_t frame[128];
    int bytes = snprintf(text, sizeof text, "+%s", connection->target);
    opening_say(opening, frame, websocket_write(1, text, (size_t)bytes, frame), "\x81\x01+", 3);
}

static size_t uws_publish(struct connection *connection, const char *content, size_t content_bytes, uint8_t *out) {
    char text[CONTENT_MAX + 64];
    int bytes = sprintf(text, "%s%.*s", connection->target, (int)content_bytes, content);
    return websocket_write(1, text, (size_t)bytes, out);
}

static struct piece uws_read(struct connection *connection, const uint8_t *at, size_t bytes) {
    (void)connection;
    struct frame frame = websocket_read(at, bytes);
    if (!frame.bytes) return incomplete;
    if (frame.opcode >= 8) return websocket_control(frame);
    return (struct piece){.kind = DELIVERY, .bytes = frame.bytes, .content = frame.payload};
}

/* The floor, by floor_fanout.c: records of one size that begin with a room's number; delivered as they are. */

static void floor_open(struct connection *connection, struct opening *opening) {
    uint8_t hello[5] = {connection->role == RECEIVES ? '+' : '-'};
    memcpy(hello + 1, &(uint32_t){connection->room}, 4);
    opening_say(opening, hello, 5, "+", 1);
    /* The size of a record, which the server was told too. */
    connection->pending = strtoul(connection->target, NULL, 10);
}

static size_t floor_send(struct connection *connection, const char *content, size_t content_bytes, uint8_t *out) {
    memset(out, '.', connection->pending);
    memcpy(out, &(uint32_t){connection->room}, 4);
    memcpy(out + 4, content, content_bytes);
    return connection->pending;
}

static struct piece floor_read(struct connection *connection, const uint8_t *at, size_t bytes) {
    if (bytes < connection->pending) return incomplete;
    return (struct piece){.kind = DELIVERY, .bytes = connection->pending, .content = at + 4};
}

const struct wire *const wires[] = {
    &(const struct wire){"quipu", true, quipu_open, quipu_send, quipu_read},
    &(const struct wire){"redis", true, redis_open, redis_publish, redis_read},
    &(const struct wire){"redis-streams", true, redis_open, redis_add, redis_read},
    &(const struct wire){"nats", false, nats_open, nats_publish, nats_read},
    &(const struct wire){"jetstream", true, jetstream_open, jetstream_publish, jetstream_read},
    &(const struct wire){"nats-websocket", false, nats_ws_open, NULL, nats_ws_read},
    &(const struct wire){"mosquitto", false, mqtt_open, mqtt_publish, mqtt_read},
    &(const struct wire){"uwebsockets", false, uws_open, uws_publish, uws_read},
    &(const struct wire){"floor", false, floor_open, floor_send, floor_read},
    NULL,
};

const struct wire *wire_named(const char *name) {
    for (const struct wire *const *wire = wires; *wire; wire++)
        if (strcmp((*wire)->name, name) == 0) return *wire;
    die("no protocol %s", name);
}
