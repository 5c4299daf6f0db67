internal import Glibc

/// A call of the kernel that failed.
package struct RawSocketError: Error, Equatable, CustomStringConvertible {
    /// As in errno(3).
    package var code: Int32
    package var function: String

    package var description: String {
        let reason = unsafe String(cString: strerror(code))
        return "\(function): \(reason) (\(code))"
    }

    @discardableResult
    static func check(_ result: Int32, _ function: String) throws(RawSocketError) -> Int32 {
        guard result >= 0 else { throw RawSocketError(code: errno, function: function) }
        return result
    }
}
