package import Cryptography
internal import LMDB

/// Computes the hashes of leaves one after the other, into the same buffer: what the writer and a verification of a
/// whole log do for each event.
///
/// A third faster than ``Record/leafHash(with:)``, which makes an array for each entry and writes the header anew.
package struct LeafHasher {
    /// 0x00 ‖ entry.
    private var input: [UInt8] = []

    package init() {}

    /// The hash of the leaf of `record`: SHA-256(0x00 ‖ entry), RFC 9162, 2.1.1.
    package mutating func hash(_ record: Record, with hasher: borrowing SHA256) -> Digest {
        let commitment = record.commitment(with: hasher)
        input.removeAll(keepingCapacity: true)
        input.append(0)
        input.append(record.bytes.extracting(first: EventHeader.byteCount))
        // The mark of a redacted record is no part of the published header.
        input[1 + 3] &= ~Record.redactedBit
        input.append(bigEndian: record.offset)
        input.append(commitment.bytes.span)
        hasher.update(input.span)
        return hasher.finalize()
    }
}
