import Foundation

/// What a command prints: collected, then written in large pieces.
///
/// A reader that closes the pipe early (`quipu audit list | head`) has what it wants: that is no failure.
struct StandardOutput {
    /// The reader has closed the pipe.
    struct Closed: Error {}

    private var bytes: [UInt8] = []
    private let file: FileHandle
    private static let chunkByteCount = 1 << 16

    init(file: FileHandle = .standardOutput) {
        // Otherwise the process would be killed at the write, and leave its data folder without a word.
        _ = signal(SIGPIPE, SIG_IGN)
        self.file = file
    }

    /// Adds what `body` appends.
    mutating func write(_ body: (inout [UInt8]) -> Void) throws {
        body(&bytes)
        if bytes.count >= Self.chunkByteCount { try flush() }
    }

    /// Adds a line.
    mutating func line(_ text: String) throws {
        try write {
            $0.append(contentsOf: text.utf8)
            $0.append(UInt8(ascii: "\n"))
        }
    }

    /// Writes what is collected.
    ///
    /// - Throws: ``Closed``; ``CommandFailure`` if it can't be written for another reason.
    mutating func flush() throws {
        guard !bytes.isEmpty else { return }
        let data = Data(bytes)
        bytes.removeAll(keepingCapacity: true)
        do {
            try file.write(contentsOf: data)
        } catch {
            if errno == EPIPE || (error as? CocoaError)?.isBrokenPipe == true { throw Closed() }
            throw CommandFailure("the output can't be written: \(error.shortDescription)")
        }
    }

    /// Prints a line at once; what can't be written is not worth ending for.
    static func print(_ line: String) { try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8)) }

    /// Runs `body`, writes what is left, and takes a closed pipe for the end.
    static func print(_ body: (inout StandardOutput) throws -> Void) throws {
        var output = StandardOutput()
        do {
            try body(&output)
            try output.flush()
        } catch is Closed {
            return
        } catch {
            // What was found before it went wrong is shown.
            try? output.flush()
            throw error
        }
    }
}

extension CocoaError {
    fileprivate var isBrokenPipe: Bool {
        (underlying as? POSIXError)?.code == .EPIPE
    }
}
