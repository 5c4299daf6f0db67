"""A verifier of a log's tree by the specifications alone (RFC 9162, C2SP tlog-tiles and tlog-proof): it shares nothing
with the server but the published formats. Signatures are left to others; all hashes are recomputed here."""

import base64
import hashlib
from typing import NamedTuple

ENTRY_BYTES = 116
HEADER_BYTES = 76


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def root_hash(hashes: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, over hashes of leaves or of complete subtrees of one size."""
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    left = 1 << ((len(hashes) - 1).bit_length() - 1)
    return node_hash(root_hash(hashes[:left]), root_hash(hashes[left:]))


class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes
    signers: list[str]


def checkpoint(note: bytes) -> Checkpoint:
    text, signatures = note.decode().rsplit("\n\n", 1)
    origin, size, root = text.split("\n")
    lines = signatures.removesuffix("\n").split("\n")
    assert all(line.startswith("\u2014 ") and len(base64.b64decode(line.split(" ")[2])) == 4 + 64 for line in lines)
    return Checkpoint(origin, int(size), base64.b64decode(root, validate=True), [line.split(" ")[1] for line in lines])


def tile_path(level: int | str, index: int, width: int = 256) -> str:
    digits = f"{index % 1000:03}"
    while index := index // 1000:
        digits = f"x{index % 1000:03}/{digits}"
    return f"tile/{level}/{digits}" + ("" if width == 256 else f".p/{width}")


def tile_paths(level: int | str, count: int) -> list[str]:
    return [tile_path(level, i, min(256, count - 256 * i)) for i in range((count + 255) // 256)]


def hashes(tile: bytes) -> list[bytes]:
    return [tile[at:at + 32] for at in range(0, len(tile), 32)]


def entries(bundle: bytes) -> list[bytes]:
    found = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        found.append(bundle[2:2 + length])
        bundle = bundle[2 + length:]
    return found


def entry(record: bytes, offset: int) -> bytes:
    """The log's entry of a record (docs/log-format.md): all of the header, the offset, and the commitment."""
    redacted = record[3] & 0x80
    body = record[HEADER_BYTES:-4]
    commitment = body if redacted else hashlib.sha256(body).digest()
    header = record[:3] + bytes([record[3] & 0x7F]) + record[4:HEADER_BYTES]
    return header + offset.to_bytes(8, "big") + commitment


class Proof(NamedTuple):
    record: bytes
    index: int
    path: list[bytes]
    checkpoint: Checkpoint


def proof(file: bytes) -> Proof:
    head, note = file.decode().split("\n\n", 1)
    lines = head.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1", lines[0]
    extra, index = lines[1].removeprefix("extra "), lines[2].removeprefix("index ")
    path = [base64.b64decode(line, validate=True) for line in lines[3:]]
    return Proof(base64.b64decode(extra, validate=True), int(index), path, checkpoint(note.encode()))


def is_included(proof: Proof) -> bool:
    """RFC 9162, 2.1.3.2."""
    node, last = proof.index, proof.checkpoint.size - 1
    hash = leaf_hash(entry(proof.record, proof.index + 1))
    for sibling in proof.path:
        if last == 0:
            return False
        if node & 1 or node == last:
            hash = node_hash(sibling, hash)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            hash = node_hash(hash, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and hash == proof.checkpoint.root


def continues(old: Checkpoint, file: bytes) -> Checkpoint | None:
    """The newer checkpoint of a consistency proof, if it continues the older one (RFC 9162, 2.1.4.2)."""
    head, note = file.decode().split("\n\n", 1)
    lines = head.split("\n")
    assert lines[0] == f"old {old.size}", lines[0]
    path = [base64.b64decode(line, validate=True) for line in lines[1:]]
    new = checkpoint(note.encode())
    if old.size & (old.size - 1) == 0:
        path.insert(0, old.root)
    node, last = old.size - 1, new.size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = path[0]
    for hash in path[1:]:
        if node & 1 or node == last:
            first, second = node_hash(hash, first), node_hash(hash, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, hash)
        node, last = node >> 1, last >> 1
    return new if last == 0 and first == old.root and second == new.root else None
