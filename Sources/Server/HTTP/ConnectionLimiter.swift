import NIOCore
import Synchronization

/// Bounds the connections that one client may have open at once; ``FrontChannel`` asks it about each.
///
/// A trusted proxy speaks for many clients and is not limited.
final class ConnectionLimiter: Sendable {
    private let perAddress: Int
    private let trustedProxies: [AddressBlock]
    private let open = Mutex<[AddressBlock: Int]>([:])

    /// - Parameters:
    ///   - perAddress: Connections from one address, or one IPv6 network of 64 bits; 0 is no limit.
    ///   - trustedProxies: Who isn't limited.
    init(perAddress: Int, trustedProxies: [AddressBlock]) {
        self.perAddress = perAddress
        self.trustedProxies = trustedProxies
    }

    /// Counts `channel` until it closes; false, and not counted, if its client has as many as it may.
    func admit(_ channel: any Channel) -> Bool {
        guard perAddress > 0,
            let peer = ClientAddress(peer: channel.remoteAddress, forwardedFor: [], trustedProxies: []),
            !trustedProxies.contains(where: { $0.contains(peer.address) })
        else { return true }
        guard open.withLock({ Self.enter(peer.subscriber, &$0, limit: perAddress) }) else { return false }
        channel.closeFuture.whenComplete { [self] _ in
            open.withLock { Self.leave(peer.subscriber, &$0) }
        }
        return true
    }

    /// How many addresses have connections open.
    var addresses: Int { open.withLock { $0.count } }

    private static func enter(_ address: AddressBlock, _ open: inout [AddressBlock: Int], limit: Int) -> Bool {
        guard open[address, default: 0] < limit else { return false }
        open[address, default: 0] += 1
        return true
    }

    private static func leave(_ address: AddressBlock, _ open: inout [AddressBlock: Int]) {
        guard let count = open[address] else { return }
        open[address] = count > 1 ? count - 1 : nil
    }
}
