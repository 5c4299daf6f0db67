"""Every row of the HTTP table: what it answers when all is well, and when not."""

import hashlib
import json
import time
import unittest

import tokens
from harness import PASSWORD, Server, quote
from sockets import refused

KEY = "a key of the tests, longer than thirty-two bytes"
ORIGIN = "https://chat.example.org"


class HTTP(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        config = {"auth": {"jwt_key": KEY}, "server": {"allowed_origins": [ORIGIN]},
                  "limits": {"http_body_bytes": 20_000, "room_members": 4, "user_rooms": 3}}
        cls.server = Server(config).start()
        cls.addClassCleanup(cls.server.remove)

    def expect(self, status: int, method: str, path: str, body=None, token=None, **headers) -> object:
        """Asks, checks the status and that a body is JSON, and returns that."""
        reply = self.server.request(method, path, body, token, headers)
        self.assertEqual(status, reply.status, f"{method} {path} {str(body)[:200]}: {reply}")
        if status == 204:
            self.assertEqual(b"", reply.body)
            return None
        self.assertIn("application/json", reply.headers.get("Content-Type", ""), f"{method} {path}: {reply}")
        return reply.json

    def test_ping_and_health(self):
        self.assertEqual({"message": "pong"}, self.expect(200, "GET", "/ping"))
        for path in ("/health/live", "/health/ready"):
            self.assertEqual(200, self.server.request("GET", path).status)
        self.expect(404, "GET", "/no/such/path")
        self.assertIn(self.server.request("DELETE", "/ping").status, (404, 405))

    def test_registration(self):
        good = {"account": "reg", "password": PASSWORD, "email": "r@example.org", "username": "Reg"}
        self.assertEqual({"data": True, "code": 200, "msg": "註冊成功"},
                         self.expect(202, "POST", "/account/register", good))
        bad = [good, b"", b"{", b"[]", b"null", b'"x"', json.dumps(good).encode()[:-1]]
        for field in good:
            other = good | {"account": "reg2"}
            bad += [{k: v for k, v in other.items() if k != field}, other | {field: ""}, other | {field: 5},
                    other | {field: None}]
        bad += [good | {"account": name} for name in
                ("a/b", "a->b", "Server", "tab\there", "nul\0", "e\u0301", "x" * 65, "語" * 22)]
        bad += [good | {"account": "reg2", "password": password} for password in ("nul\0nul", "p" * 73, "密" * 25)]
        for body in bad:
            with self.subTest(body=str(body)[:120]):
                answer = self.expect(400, "POST", "/account/register", body)
                self.assertEqual((False, 400), (answer["data"], answer["code"]))
                self.assertTrue(answer["msg"])
        for name in ("x" * 64, "語" * 21, "ж>-ж", "server", "\u00e9", "e"):
            self.assertEqual(202, self.server.register(name).status, name)
        self.assertEqual(202, self.server.register("long password", "密" * 24).status)
        self.assertEqual(200, self.server.login("long password", "密" * 24).status)

    def test_login_and_the_claims_of_its_token(self):
        before = int(time.time())
        token = self.server.account("клеймы")
        header, claims = tokens.verify(token, KEY.encode())
        self.assertEqual("HS256", header["alg"])
        audience = claims["aud"] if isinstance(claims["aud"], str) else claims["aud"][0]
        self.assertEqual(("клеймы",) * 4, (claims["account"], claims["username"], claims["sub"], audience))
        self.assertEqual("ginJWT", claims["iss"])
        self.assertTrue(claims["jti"])
        self.assertEqual(claims["iat"], claims["nbf"])
        self.assertEqual(20 * 3600, claims["exp"] - claims["iat"])
        self.assertTrue(before - 1 <= claims["iat"] <= time.time() + 1, claims)
        self.assertEqual({"data": False, "code": 400, "msg": "查無帳號"},
                         self.expect(400, "POST", "/account/login", {"account": "nobody", "password": "x"}))
        self.assertEqual({"data": False, "code": 400, "msg": "Unauthorized"},
                         self.expect(401, "POST", "/account/login", {"account": "клеймы", "password": "x"}))
        for body in (b"", b"{", {"account": "клеймы"}, {"account": 5, "password": "x"}):
            self.assertEqual(False, self.expect(400, "POST", "/account/login", body)["data"])
        self.expect(200, "POST", "/account/login", {"account": "клеймы", "password": PASSWORD, "email": 7})

    def test_tokens_that_do_not_hold(self):
        """Each is refused by HTTP and by the upgrade alike, and the profile says what is wrong."""
        token = self.server.account("holder")
        header, claims = tokens.verify(token, KEY.encode())
        for method in ("GET", "POST"):
            self.assertEqual({"code": 200, "data": {"account": "holder", "username": "holder"}, "msg": "登入成功"},
                             self.expect(200, method, "/account/member/profile", token=token))
        # One signed here with the same key and claims holds: what follows fails for its own reason.
        self.expect(200, "GET", "/account/member/profile", token=tokens.sign(claims, KEY.encode()))
        now = int(time.time())
        head, body, signature = token.split(".")
        none = tokens.encode(b'{"alg":"none","typ":"JWT"}')
        flipped = tokens.decode(signature)[:-1] + bytes([tokens.decode(signature)[-1] ^ 1])
        unsigned_claims = tokens.encode(json.dumps(claims | {"account": "admin", "sub": "admin"}).encode())
        wrong = {
            "expired": tokens.sign(claims | {"iat": now - 90_000, "nbf": now - 90_000, "exp": now - 100}, KEY.encode()),
            "not yet valid": tokens.sign(claims | {"nbf": now + 3600, "exp": now + 7200}, KEY.encode()),
            "no expiry": tokens.sign({k: v for k, v in claims.items() if k != "exp"}, KEY.encode()),
            "another key": tokens.sign(claims, b"another key, which is just as long as it"),
            "the empty key": tokens.sign(claims, b""),
            "alg none": f"{none}.{body}.", "alg none, signed": f"{none}.{body}.{signature}",
            "HS512": tokens.sign(claims, KEY.encode(), {"alg": "HS512", "typ": "JWT"}, hashlib.sha512),
            "other claims": f"{head}.{unsigned_claims}.{signature}",
            "signature changed": f"{head}.{body}.{tokens.encode(flipped)}", "no signature": f"{head}.{body}.",
            "two parts": f"{head}.{body}", "four parts": f"{token}.x", "not base64": "a!.b!.c!", "empty": "",
        }
        for name, bad in wrong.items():
            with self.subTest(token=name):
                answer = self.expect(401, "POST", "/account/member/profile", token=bad)
                self.assertTrue(answer["error"], answer)
                self.expect(401, "GET", "/rooms", token=bad)
                self.assertEqual(401, refused(self.server.url("/ws"), bad)[0])
        for header in ({}, {"Authorization": "Basic aG9sZGVyOng="}, {"Authorization": token}):
            self.expect(401, "GET", "/account/member/profile", **header)

    def test_a_token_that_expires_while_its_socket_is_open(self):
        """The socket works until then, and is closed with 4001 after, not before."""
        _, claims = tokens.verify(self.server.account("shortly"), KEY.encode())
        expiry = int(time.time()) + 3
        with self.server.session(tokens.sign(claims | {"exp": expiry}, KEY.encode())) as socket:
            self.assertIn("as_of", socket.ask({"type": 4}))
            self.assertEqual(4001, socket.close_code())
        self.assertGreaterEqual(time.time(), expiry)

    def test_rooms_from_making_to_leaving(self):
        own, ann, bob, eve = (self.server.account(name) for name in ("owner", "r-ann", "r-bob", "r-eve"))
        data = self.expect(201, "POST", "/rooms", {"name": "Küche", "members": ["r-ann"]}, own)["data"]
        self.assertEqual(("Küche", {"owner", "r-ann"}), (data["name"], set(data["members"])))
        path = f"/rooms/{data['id']}"
        listed = self.expect(200, "GET", "/rooms", token=ann)["data"]
        self.assertEqual([{"id": data["id"], "name": "Küche", "members": 2, "online": 0, "unread": 0}],
                         [{k: room[k] for k in ("id", "name", "members", "online", "unread")} for room in listed])
        self.assertEqual([], self.expect(200, "GET", "/rooms", token=eve)["data"])
        for method, tail in (("GET", ""), ("PUT", "/members/r-eve"), ("DELETE", "/members/r-ann")):
            self.expect(404, method, path + tail, token=eve)
            self.expect(401, method, path + tail)
        for name, members in ((None, []), ("", []), (5, []), ("x", "r-ann"), ("x", [5])):
            self.expect(400, "POST", "/rooms", {"name": name, "members": members}, own)
        self.expect(404, "POST", "/rooms", {"name": "x", "members": ["nobody"]}, own)
        self.expect(404, "GET", "/rooms/00000000-0000-4000-8000-000000000000", token=own)
        self.assertIn(self.server.request("GET", "/rooms/no-uuid", token=own).status, (400, 404))

        # Any member adds; only the owner removes others; everyone removes themself.
        self.expect(204, "PUT", path + "/members/r-bob", token=ann)
        self.expect(204, "PUT", path + "/members/r-bob", token=ann)
        self.expect(404, "PUT", path + "/members/nobody", token=ann)
        self.expect(403, "DELETE", path + "/members/r-bob", token=ann)
        with self.server.session(bob), self.server.session(bob), self.server.room_socket("r-ann", ann):
            shown = self.expect(200, "GET", path, token=bob)["data"]
            self.assertEqual((3, 2), (len(shown["members"]), shown["online"]), shown)
        self.expect(204, "DELETE", path + "/members/r-bob", token=own)
        self.expect(404, "GET", path, token=bob)
        self.expect(404, "DELETE", path + "/members/r-bob", token=own)
        self.expect(204, "PUT", path + "/members/r-bob", token=own)
        # The creator leaves: the oldest member, ann, owns the room now; bob does not.
        self.expect(204, "DELETE", path + "/members/owner", token=own)
        self.expect(403, "DELETE", path + "/members/r-ann", token=bob)
        self.expect(204, "DELETE", path + "/members/r-bob", token=ann)
        self.expect(204, "DELETE", path + "/members/r-ann", token=ann)
        self.expect(404, "GET", path, token=ann)

    def test_members_are_paged_and_limited(self):
        names = [f"p{n}" for n in range(5)]
        first, *others = [self.server.account(name) for name in names]
        room = self.server.room(first, "pages", names[1:4])
        path = f"/rooms/{room}"
        whole = self.expect(200, "GET", path, token=first)["data"]["members"]
        self.assertEqual(names[:4], sorted(whole))
        for limit in (1, 2, 3, 4, 5):
            pages: list[str] = []
            after = ""
            while page := self.expect(200, "GET", f"{path}?limit={limit}{after}", token=first)["data"]["members"]:
                self.assertLessEqual(len(page), limit)
                pages += page
                after = f"&after={quote(pages[-1])}"
                self.assertLessEqual(len(pages), 4, f"limit {limit}: pages go round: {pages}")
            self.assertEqual(sorted(whole), sorted(pages), f"limit {limit}")
        for limit in ("0", "-1", "x", "10001"):
            self.expect(400, "GET", f"{path}?limit={limit}", token=first)
        # Four members are the limit, three rooms a user are: at it yes, one past it 409, and nothing has changed.
        self.expect(409, "PUT", path + "/members/p4", token=first)
        self.assertEqual(4, len(self.expect(200, "GET", path, token=first)["data"]["members"]))
        self.expect(409, "POST", "/rooms", {"name": "five", "members": names[1:]}, first)
        for n in (2, 3):
            self.server.room(first, f"room {n}", [])
        self.expect(409, "POST", "/rooms", {"name": "room 4", "members": []}, first)
        fresh = self.server.room(others[0], "fresh", [])
        self.expect(409, "PUT", f"/rooms/{fresh}/members/p0", token=others[0])
        self.assertEqual(3, len(self.expect(200, "GET", "/rooms", token=first)["data"]))

    def test_bodies_over_the_limit(self):
        body = {"account": "big", "password": PASSWORD, "email": "b@example.org", "username": "Big"}
        fits = json.dumps(body).encode().ljust(20_000)
        self.expect(413, "POST", "/account/register", fits + b" ")
        self.expect(413, "POST", "/account/login", fits + b" " * 500_000)
        self.expect(202, "POST", "/account/register", fits)

    def test_cors(self):
        """The allowed origin may read every reply, errors too; another one gets no permission and no socket."""
        token = self.server.account("cors")
        preflight = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT",
                     "Access-Control-Request-Headers": "authorization"}
        for path in ("/account/login", "/rooms", "/rooms/x/members/y", "/ws", "/no/such/path"):
            reply = self.server.request("OPTIONS", path, headers=preflight)
            self.assertEqual((204, ORIGIN), (reply.status, reply.headers["Access-Control-Allow-Origin"]), path)
            for method in ("GET", "POST", "PUT", "DELETE"):
                self.assertIn(method, reply.headers["Access-Control-Allow-Methods"])
            allowed = reply.headers["Access-Control-Allow-Headers"].lower()
            self.assertTrue("authorization" in allowed and "content-type" in allowed, allowed)
            self.assertGreater(int(reply.headers["Access-Control-Max-Age"]), 0)
        for method, path, status in (("GET", "/ping", 200), ("GET", "/rooms", 401), ("GET", "/nowhere", 404),
                                     ("POST", "/account/login", 400), ("GET", "/health/ready", 200)):
            reply = self.server.request(method, path, headers={"Origin": ORIGIN})
            self.assertEqual((status, ORIGIN), (reply.status, reply.headers["Access-Control-Allow-Origin"]), path)
            reply = self.server.request(method, path, headers={"Origin": "https://evil.example"})
            self.assertNotIn(reply.headers["Access-Control-Allow-Origin"], ("*", "https://evil.example"), path)
        self.assertEqual(403, refused(self.server.url("/ws"), token, origin="https://evil.example")[0])
        for origin in (ORIGIN, None):
            self.server.session(token, origin=origin).close()
        status, headers, _ = refused(self.server.url("/ws"), "bad", origin=ORIGIN)
        self.assertEqual((401, ORIGIN), (status, headers["Access-Control-Allow-Origin"]))


class HTTPInItsDefaults(unittest.TestCase):
    def test_origins_by_default(self):
        """Any origin when tokens are required; pages of this machine only when any name will do."""
        server = Server().start()
        self.addCleanup(server.remove)
        reply = server.request("GET", "/ping", headers={"Origin": "https://any.example"})
        self.assertIn(reply.headers["Access-Control-Allow-Origin"], ("*", "https://any.example"))
        server.session(server.account("a"), origin="https://any.example").close()
        server = Server(mode="open").start()
        self.addCleanup(server.remove)
        for origin in ("http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]:80", None):
            server.conversation("a", "b", origin=origin).close()
        for origin in ("https://any.example", "http://localhost.example", "http://127.0.0.1.example", "null"):
            self.assertEqual(403, refused(server.url("/ws", send_id="a", receive_id="b"), origin=origin)[0], origin)

    def test_open_mode_takes_an_account_by_name(self):
        server = Server(mode="open").start()
        self.addCleanup(server.remove)
        reply = server.request("POST", "/rooms?account=guest%201", {"name": "r", "members": ["guest 2"]})
        self.assertEqual(201, reply.status, str(reply))
        room = reply.json["data"]["id"]
        self.assertEqual([room], [r["id"] for r in server.request("GET", "/rooms?account=guest%202").json["data"]])
        self.assertEqual(404, server.request("GET", f"/rooms/{room}?account=guest%203").status)
        self.assertEqual(401, server.request("GET", "/rooms").status)
        # A guest's name can't be taken over by registering it: its history would be inherited.
        reply = server.register("guest 1")
        self.assertEqual((400, False), (reply.status, reply.json["data"]))

    def test_failed_logins_are_limited(self):
        """Per account and address: others go on. Per address: nobody does; the proxy's word for an address counts."""
        server = Server({"server": {"trusted_proxies": ["127.0.0.1"]},
                         "limits": {"failed_logins_per_minute": 3, "failed_logins_per_address_per_minute": 6}}).start()
        self.addCleanup(server.remove)
        for name in ("ann", "bob"):
            server.account(name)

        def login(name: str, password: str, address: str):
            return server.request("POST", "/account/login", {"account": name, "password": password},
                                  headers={"X-Forwarded-For": address})
        self.assertEqual([401] * 3, [login("ann", "no", "192.0.2.1").status for _ in range(3)])
        reply = login("ann", PASSWORD, "192.0.2.1")
        self.assertEqual(429, reply.status, str(reply))
        self.assertTrue(1 <= int(reply.headers["Retry-After"]) <= 60, reply.headers["Retry-After"])
        self.assertIsInstance(reply.json, dict)
        self.assertEqual(200, login("ann", PASSWORD, "192.0.2.2").status)
        self.assertEqual(200, login("bob", PASSWORD, "192.0.2.1").status)
        self.assertEqual([401] * 3, [login("bob", "no", "192.0.2.1").status for _ in range(3)])
        self.assertEqual(429, login("carl", "no", "192.0.2.1").status)
        self.assertEqual(429, login("bob", PASSWORD, "192.0.2.1").status)
        self.assertEqual(200, login("bob", PASSWORD, "192.0.2.3").status)


if __name__ == "__main__":
    unittest.main()
