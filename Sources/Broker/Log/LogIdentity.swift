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

    /// `<32 hexadecimal digits>.<epoch>`, as clients see it.
    package var description: String { "\(id).\(epoch)" }
}
