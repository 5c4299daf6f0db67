"""Prints each message once, in order, over any number of cuts and restarts: resume.py ws://127.0.0.1:8080/ws TOKEN"""
import json
import random
import sys
import time

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

url, token = sys.argv[1:]
log, position = None, 0
while True:
    pause = random.uniform(0, 2)  # so that not all clients come back at once
    resume = f"?after={position}&log={log}" if log else ""
    try:
        with connect(url + resume, additional_headers={"Authorization": f"Bearer {token}"}, max_size=None) as socket:
            for frame in map(json.loads, socket):
                log = log or frame["log"]  # of the first greeting
                if frame.get("code") == 50022 and "log" in frame:  # our position means nothing there; go on from theirs
                    log, position, pause = frame["log"], frame["offset"], 0
                    break
                if frame.get("event") == "message":
                    print(frame["sender"], frame["content"], sep=": ", flush=True)
                position = max(position, frame.get("offset", 0), frame.get("at", 0))
                pause = frame.get("retry_after_ms", pause * 1000) / 1000
    except (OSError, WebSocketException) as error:
        print(f"cut off: {error}", file=sys.stderr)
    time.sleep(pause)
