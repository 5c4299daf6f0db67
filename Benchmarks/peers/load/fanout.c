/* Rooms: some send, many receive. Every subscriber must get every message of its room, once, in each sender's order.

   Flat out, a sender has at most `window` messages under way, that is not yet arrived at every subscriber: the same
   for servers that acknowledge and for those that don't, and no server can run ahead into its own buffers. At a rate
   (`rate` > 0) messages are sent when they are due, and latency is counted from then. */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "connection.h"
#include "load.h"

#define STALL_NS 10000000000u
#define WINDOW_MAX 1024

struct sender {
    struct connection *connection;
    uint32_t sent, arrived, acknowledged;
    uint32_t missing[WINDOW_MAX]; /* subscribers that message n lacks, at n % WINDOW_MAX */
};

struct fanout {
    struct crowd crowd;
    uint32_t rooms, senders_in_room, subscribers_in_room, window, bytes;
    bool acknowledges;
    struct sender *senders;
    uint32_t *next; /* of each subscriber and sender of its room: the number that must come next */
    uint64_t deliveries, rate, start_ns;
    struct histogram latency;
};

/* A content begins `#ssss nnnnnnnn `, in hexadecimal: parsed a thousand times for each time it is written. */
static void write_mark(char *content, uint32_t sender, uint32_t number) {
    char mark[16];
    snprintf(mark, sizeof mark, "#%04x %08x ", sender, number);
    memcpy(content, mark, 15);
}

static uint32_t read_digits(const uint8_t *at, int count) {
    uint32_t value = 0;
    for (int index = 0; index < count; index++) {
        uint8_t digit = at[index];
        value = value << 4 | (digit > '9' ? (uint32_t)digit - 'a' + 10 : (uint32_t)digit - '0');
    }
    return value;
}

static uint64_t due_ns(const struct fanout *fanout, uint32_t number) {
    return fanout->start_ns + (uint64_t)number * 1000000000u / fanout->rate;
}

static void arrived(void *context, struct connection *connection, const struct piece *piece) {
    struct fanout *fanout = context;
    if (connection->role == SENDS) {
        /* Where senders are members, they hear the others; that isn't counted. */
        if (piece->kind == REPLY) fanout->senders[connection->number].acknowledged++;
        return;
    }
    if (piece->kind != DELIVERY || piece->content[0] != '#') die("a subscriber got what is no message");
    uint32_t sender = read_digits(piece->content + 1, 4), number = read_digits(piece->content + 6, 8);
    uint32_t place = sender - connection->room * fanout->senders_in_room;
    if (place >= fanout->senders_in_room) die("a message of sender %u came to room %u", sender, connection->room);
    uint32_t *next = &fanout->next[connection->number * fanout->senders_in_room + place];
    if (number != *next)
        die("subscriber %u got message %u of sender %u for %u", connection->number, number, sender, *next);
    ++*next;
    fanout->deliveries++;
    struct sender *from = &fanout->senders[sender];
    if (--from->missing[number % WINDOW_MAX] == 0) from->arrived++;
    if (fanout->rate) {
        uint64_t now = now_ns(), due = due_ns(fanout, number);
        histogram_add(&fanout->latency, now > due ? now - due : 0);
    }
}

static void send_some(struct fanout *fanout, struct sender *sender, uint32_t until, char *content) {
    uint32_t room_for = fanout->window - (sender->sent - sender->arrived);
    /* Half a window at a time, as one that went on message by message would soon be out of step with every batch. */
    if (!fanout->rate && 2 * room_for < fanout->window) return;
    if (until - sender->sent < room_for) room_for = until - sender->sent;
    if (!room_for) return;
    for (uint32_t index = 0; index < room_for; index++) {
        write_mark(content, sender->connection->number, sender->sent);
        sender->missing[sender->sent++ % WINDOW_MAX] = fanout->subscribers_in_room;
        connection_send(&fanout->crowd, sender->connection, content, fanout->bytes);
    }
    connection_flush(&fanout->crowd, sender->connection);
}

/* Until each sender has sent up to number `until`, or time is up, and all of that has arrived everywhere. */
static void run(struct fanout *fanout, uint32_t until, uint64_t end_ns, char *content) {
    uint32_t count = fanout->rooms * fanout->senders_in_room;
    uint64_t last = fanout->deliveries, last_ns = now_ns();
    for (;;) {
        uint64_t now = now_ns();
        bool over = now >= end_ns, done = true;
        uint64_t wait_ns = 1000000000u;
        for (uint32_t index = 0; index < count; index++) {
            struct sender *sender = &fanout->senders[index];
            if (!over && fanout->rate) {
                /* A window would hide how late a message is; a server that doesn't keep up is a failure instead. */
                while (sender->sent < until && due_ns(fanout, sender->sent) <= now) {
                    if (sender->sent - sender->arrived >= WINDOW_MAX) die("the server doesn't keep up with the rate");
                    send_some(fanout, sender, sender->sent + 1, content);
                }
                if (sender->sent < until) wait_ns = due_ns(fanout, sender->sent) - now;
            } else if (!over) {
                send_some(fanout, sender, until, content);
            }
            bool acknowledged = !fanout->acknowledges || sender->acknowledged == sender->sent;
            done = done && (over || sender->sent == until) && sender->arrived == sender->sent && acknowledged;
        }
        if (done) return;
        crowd_wait(&fanout->crowd, wait_ns);
        if (fanout->deliveries != last) {
            last = fanout->deliveries;
            last_ns = now;
        } else if (now > last_ns + STALL_NS && now < end_ns) {
            die("nothing has come for 10 s, after %lu deliveries", (unsigned long)last);
        } else if (now > end_ns + STALL_NS && now > last_ns + STALL_NS) {
            die("messages were lost: nothing has come for 10 s, after %lu deliveries", (unsigned long)last);
        }
    }
}

void fanout_main(struct options *options) {
    struct fanout *fanout = take(1, sizeof *fanout);
    fanout->crowd.wire = wire_named(option_text(options, "wire", ""));
    fanout->crowd.port = (uint16_t)option_number(options, "port", 0);
    fanout->crowd.arrived = arrived;
    fanout->crowd.context = fanout;
    fanout->rooms = (uint32_t)option_number(options, "rooms", 1);
    fanout->senders_in_room = (uint32_t)option_number(options, "senders", 1);
    fanout->subscribers_in_room = (uint32_t)option_number(options, "subscribers", 100);
    fanout->window = (uint32_t)option_number(options, "window", 64);
    fanout->bytes = (uint32_t)option_number(options, "bytes", 150);
    uint64_t rate = option_number(options, "rate", 0), milliseconds = option_number(options, "milliseconds", 1000);
    uint32_t warmup = (uint32_t)option_number(options, "warmup", 20);
    uint32_t most = (uint32_t)option_number(options, "messages", 10000000);
    pid_t server = (pid_t)option_number(options, "server", 0);
    struct names names = names_of(options, "room-names", fanout->rooms, "room%u");
    options_end(options);
    if (fanout->window > WINDOW_MAX || warmup > most) die("the window is at most %u", WINDOW_MAX);
    if (fanout->bytes < 16 || fanout->bytes > CONTENT_MAX) die("a message has 16 to %u bytes", CONTENT_MAX);

    uint32_t senders = fanout->rooms * fanout->senders_in_room;
    uint32_t subscribers = fanout->rooms * fanout->subscribers_in_room;
    struct connection *connections = take(senders + subscribers, sizeof *connections);
    fanout->senders = take(senders, sizeof *fanout->senders);
    fanout->next = take((size_t)subscribers * fanout->senders_in_room, sizeof *fanout->next);
    fanout->acknowledges = fanout->crowd.wire->acknowledges;
    for (uint32_t index = 0; index < senders + subscribers; index++) {
        bool sends = index < senders;
        uint32_t number = sends ? index : index - senders;
        uint32_t room = number / (sends ? fanout->senders_in_room : fanout->subscribers_in_room);
        connections[index] = (struct connection){
            .role = sends ? SENDS : RECEIVES, .number = number, .room = room, .target = names.name[room]};
        if (sends) fanout->senders[index].connection = &connections[index];
    }
    crowd_open(&fanout->crowd, connections, senders + subscribers, 64);

    char content[CONTENT_MAX];
    for (size_t index = 0; index < sizeof content; index++) content[index] = "lorem ipsum dolor sit amet "[index % 27];
    run(fanout, warmup, UINT64_MAX - STALL_NS, content);

    uint64_t warm = fanout->deliveries;
    fanout->crowd.received_bytes = 0;
    fanout->rate = rate;
    struct window window = window_open(server);
    /* So that the first message of the measured stretch is due now. */
    if (rate) fanout->start_ns = window.start_ns - (uint64_t)warmup * 1000000000u / rate;
    run(fanout, most, window.start_ns + milliseconds * 1000000u, content);
    window_report(&window, fanout->deliveries - warm, fanout->crowd.received_bytes, rate ? &fanout->latency : NULL);
}
