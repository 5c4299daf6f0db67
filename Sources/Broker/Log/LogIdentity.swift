/// Which log it is: an offset means something only together with this.
package struct LogIdentity: Hashable, Sendable, CustomStringConvertible {
    /// Made at random with the log.
    package var id: Identifier
    /// 1 at first; a restored backup counts up, so that a cursor from the lost future is recognised.
    package var epoch: UInt64

    package init(id: Identifier, epoch: UInt64) {
        self.id = id
        self.epoch = epoch
    }

    /// Reads exactly what ``description`` prints.
    ///
    /// - Returns: Nil for anything else: capitals, hyphens, an epoch of 0, signs or leading zeros.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let id = Identifier(parts[0]), let epoch = UInt64(parts[1]), epoch > 0 else {
            return nil
        }
        self.init(id: id, epoch: epoch)
        guard description.utf8.elementsEqual(text.utf8) else { return nil }
    }

    /// `<32 hexadecimal digits>.<epoch>`, as clients see it.
    package var description: String { "\(id).\(epoch)" }
}
