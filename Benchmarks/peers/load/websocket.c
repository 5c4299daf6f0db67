/* RFC 6455, the client's side, as little of it as a load generator needs. */

#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "wire.h"

static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

struct frame websocket_read(const uint8_t *at, size_t bytes) {
    struct frame frame = {0};
    if (bytes < 2) return frame;
    if (at[1] & 0x80) die("the server masks its frames");
    size_t head = 2;
    uint64_t length = at[1];
    if (length == 126) {
        if (bytes < 4) return frame;
        head = 4;
        length = (uint64_t)at[2] << 8 | at[3];
    } else if (length == 127) {
        if (bytes < 10) return frame;
        head = 10;
        length = 0;
        for (int index = 2; index < 10; index++) length = length << 8 | at[index];
    }
    if (bytes - head < length) return frame;
    frame.opcode = at[0] & 0x0f;
    frame.final = at[0] & 0x80;
    frame.payload = at + head;
    frame.payload_bytes = length;
    frame.bytes = head + length;
    return frame;
}

size_t websocket_write(uint8_t opcode, const void *payload, size_t payload_bytes, uint8_t *out) {
    uint8_t *start = out;
    *out++ = 0x80 | opcode;
    if (payload_bytes < 126) {
        *out++ = 0x80 | (uint8_t)payload_bytes;
    } else if (payload_bytes < 65536) {
        *out++ = 0x80 | 126;
        *out++ = (uint8_t)(payload_bytes >> 8);
        *out++ = (uint8_t)payload_bytes;
    } else {
        die("a frame of %zu bytes is more than this sends", payload_bytes);
    }
    memcpy(out, mask, 4);
    out += 4;
    const uint8_t *from = payload;
    for (size_t index = 0; index < payload_bytes; index++) out[index] = from[index] ^ mask[index & 3];
    return (size_t)(out - start) + payload_bytes;
}

void websocket_open(struct opening *opening, const char *path, const char *protocol) {
    char head[OPENING_BYTES];
    int bytes = snprintf(head, sizeof head,
                         "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
                         path, protocol ? "Sec-WebSocket-Protocol: " : "", protocol ? protocol : "",
                         protocol ? "\r\n" : "");
    opening_say(opening, head, (size_t)bytes, "\r\n\r\n", 4);
}

/* What a control frame asks for. */
struct piece websocket_control(struct frame frame) {
    static uint8_t pong[140];
    struct piece piece = {.kind = NOISE, .bytes = frame.bytes};
    if (frame.opcode == 8) die("the server closed a socket: %.*s", (int)frame.payload_bytes, frame.payload);
    if (frame.opcode == 9) {
        piece.kind = PINGED;
        piece.answer = (const char *)pong;
        piece.answer_bytes = websocket_write(10, frame.payload, frame.payload_bytes, pong);
    }
    return piece;
}

void opening_say(struct opening *opening, const void *say, size_t say_bytes, const void *token, size_t token_bytes) {
    if (opening->steps == OPENING_STEPS || say_bytes > OPENING_BYTES) die("too much to say at opening");
    memcpy(opening->step[opening->steps].say, say, say_bytes);
    opening->step[opening->steps].say_bytes = say_bytes;
    memcpy(opening->step[opening->steps].token, token, token_bytes);
    opening->step[opening->steps++].token_bytes = token_bytes;
}
