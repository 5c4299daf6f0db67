#!/usr/bin/env python3
"""Fills a server with messages of many users, then replays the log: `python3 Benchmarks/million.py path/to/quipu`.

Prints how fast the messages were acknowledged (each ack after an fsync; this client, in Python, is the slower side),
the server's processor time for them, and what `quipu replay` and `quipu replay --verify` say. A million messages over
1,000 users by default; everything happens in a temporary folder and on 127.0.0.1.
"""

import argparse
import pathlib
import re
import selectors
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Tests" / "Integration"))

from rawsocket import RawSocket, request  # noqa: E402

AT_ONCE = 10
CHUNK = 1 << 18
ACK = b'"reply":1'


def fill(port: int, first: int, conversations: int, messages: int) -> None:
    """Sends `messages` in each of `conversations`, all at once, and waits for every ack."""
    selector = selectors.DefaultSelector()
    waiting = 0
    for number in range(first, first + conversations):
        socket = RawSocket(port).upgrade(f"/ws?send_id=user{2 * number}&receive_id=user{2 * number + 1}")
        socket.read_json()
        text = f"message of conversation {number}: " + "lorem ipsum dolor sit amet " * 4
        data = memoryview(b"".join(request({"type": 1, "content": f"{n}: {text}"}) for n in range(messages)))
        socket.socket.setblocking(False)
        selector.register(socket.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, [data, b"", 0])
        waiting += 1
    while waiting:
        for key, events in selector.select(60):
            state = key.data
            if events & selectors.EVENT_WRITE:
                state[0] = state[0][key.fileobj.send(state[0][:CHUNK]):]
                if not state[0]:
                    selector.modify(key.fileobj, selectors.EVENT_READ, state)
            if events & selectors.EVENT_READ:
                received = key.fileobj.recv(CHUNK)
                if not received:
                    sys.exit("the server closed a connection")
                text = state[1] + received
                state[2] += text.count(ACK)
                # An ack may be cut in two.
                state[1] = text[-(len(ACK) - 1):]
                if state[2] == messages:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                    waiting -= 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", help="the release build of quipu")
    parser.add_argument("--users", type=int, default=1_000)
    parser.add_argument("--messages", type=int, default=1_000_000)
    arguments = parser.parse_args()
    conversations = arguments.users // 2
    each = arguments.messages // conversations
    with tempfile.TemporaryDirectory(prefix="quipu-million-") as folder:
        command = [arguments.binary, "serve", "--data", folder, "--port", "0", "--auth", "open"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            port = int(re.search(r":(\d+)", server.stdout.readline())[1])
            start = time.monotonic()
            for first in range(0, conversations, AT_ONCE):
                fill(port, first, min(AT_ONCE, conversations - first), each)
            seconds = time.monotonic() - start
            fields = pathlib.Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
            cpu = (int(fields[11]) + int(fields[12])) / 100
            total = conversations * each
            print(f"{total:,} messages of {arguments.users:,} users acknowledged in {seconds:.1f} s, every commit "
                  f"fsynced: {total / seconds:,.0f}/s, {cpu / total * 1e6:.1f} µs of the server's processor time each, "
                  "views included", flush=True)
            for options in ([], ["--verify"]):
                subprocess.run([arguments.binary, "replay", *options, "--data", folder], check=True)
        finally:
            server.terminate()
            server.wait(60)


if __name__ == "__main__":
    main()
