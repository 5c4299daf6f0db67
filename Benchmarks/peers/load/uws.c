/* A room server on uWebSockets: `uws PORT`. `+room` subscribes its sender; `room#…` is published to the room from # on.

   The library is the one that the Python package socketify holds; it ships no header, so what is used of its C
   interface stands here. No line of Python runs.

   What came in a turn of the loop is published at its end. Published at once, while the library holds its one cork
   buffer for the sender's socket, every message past the 32nd of a turn would be a send of its own to each. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

typedef struct uws_app_s uws_app_t;
typedef struct uws_websocket_s uws_websocket_t;

struct us_socket_context_options_t {
    const char *key_file_name, *cert_file_name, *passphrase, *dh_params_file_name, *ca_file_name, *ssl_ciphers;
    int ssl_prefer_low_memory_usage;
};

typedef struct {
    int port;
    const char *host;
    int options;
} uws_app_listen_config_t;

typedef void (*handler)(uws_websocket_t *socket, void *user_data);

typedef struct {
    int compression;
    unsigned maxPayloadLength;
    unsigned short idleTimeout;
    unsigned maxBackpressure;
    bool closeOnBackpressureLimit, resetIdleTimeoutOnSend, sendPingsAutomatically;
    unsigned short maxLifetime;
    void *upgrade;
    handler open;
    void (*message)(uws_websocket_t *socket, const char *message, size_t length, int opcode, void *user_data);
    handler drain;
    void *ping, *pong;
    void *close, *subscription;
} uws_socket_behavior_t;

extern void *uws_get_loop_with_native(void *native_loop);
extern uws_app_t *uws_create_app(int ssl, struct us_socket_context_options_t options);
extern void uws_ws(int ssl, uws_app_t *app, const char *pattern, uws_socket_behavior_t behavior, void *user_data);
extern void uws_app_listen_with_config(int ssl, uws_app_t *app, uws_app_listen_config_t config, void *handler,
                                       void *user_data);
extern void uws_app_run(int ssl, uws_app_t *app);
extern bool uws_publish(int ssl, uws_app_t *app, const char *topic, size_t topic_length, const char *message,
                        size_t message_length, int opcode, bool compress);
extern bool uws_ws_subscribe(int ssl, uws_websocket_t *socket, const char *topic, size_t length);
extern int uws_ws_send(int ssl, uws_websocket_t *socket, const char *message, size_t length, int opcode);

enum { PLAIN = 0, TEXT = 1 };

static uws_app_t *app;

/* Lengths and texts of this turn's messages. */
static char *turn;
static size_t turn_bytes, turn_room;

static void append(const void *bytes, size_t count) {
    if (turn_bytes + count > turn_room) {
        turn_room = 2 * (turn_bytes + count);
        turn = realloc(turn, turn_room);
        if (!turn) exit(1);
    }
    memcpy(turn + turn_bytes, bytes, count);
    turn_bytes += count;
}

static void publish(uv_check_t *check) {
    (void)check;
    size_t length;
    for (size_t at = 0; at < turn_bytes; at += sizeof length + length) {
        memcpy(&length, turn + at, sizeof length);
        const char *message = turn + at + sizeof length, *content = memchr(message, '#', length);
        if (!content) continue;
        size_t room = (size_t)(content - message);
        uws_publish(PLAIN, app, message, room, content, length - room, TEXT, false);
    }
    turn_bytes = 0;
}

static void received(uws_websocket_t *socket, const char *message, size_t length, int opcode, void *user_data) {
    (void)opcode, (void)user_data;
    if (length && message[0] == '+') {
        uws_ws_subscribe(PLAIN, socket, message + 1, length - 1);
        uws_ws_send(PLAIN, socket, "+", 1, TEXT);
        return;
    }
    append(&length, sizeof length);
    append(message, length);
}

static void listening(void *socket, uws_app_listen_config_t config, void *user_data) {
    (void)user_data;
    if (!socket) exit(1);
    printf("%d\n", config.port);
    fflush(stdout);
}

static void nothing(uws_websocket_t *socket, void *user_data) { (void)socket, (void)user_data; }

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    uws_get_loop_with_native(uv_default_loop());
    app = uws_create_app(PLAIN, (struct us_socket_context_options_t){0});
    /* A slow reader is kept for rather than skipped, which this library else does without a word. */
    uws_socket_behavior_t behavior = {
        .maxPayloadLength = 1 << 20, .maxBackpressure = 1 << 30, .open = nothing, .message = received};
    uws_ws(PLAIN, app, "/*", behavior, NULL);
    uws_app_listen_config_t config = {.port = atoi(argv[1]), .host = "127.0.0.1"};
    uws_app_listen_with_config(PLAIN, app, config, (void *)listening, NULL);
    uv_check_t check;
    uv_check_init(uv_default_loop(), &check);
    uv_check_start(&check, publish);
    uws_app_run(PLAIN, app);
    return 1;
}
