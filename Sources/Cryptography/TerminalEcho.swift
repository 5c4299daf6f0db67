internal import Glibc

/// Switches a terminal's echo off while somebody types a password.
package enum TerminalEcho {
    /// What ends a line besides Enter: Ctrl-C, as a byte.
    package static let interrupt: UInt8 = 3

    /// Runs `body` while the terminal `fileDescriptor` shows nothing of what is typed; then everything is as before.
    ///
    /// Ctrl-C doesn't end the process meanwhile, which would leave the terminal mute: it ends the line, whose last byte
    /// is then ``interrupt``. On anything but a terminal `body` just runs.
    package static func withoutEcho<Result>(of fileDescriptor: Int32, _ body: () throws -> Result) rethrows -> Result {
        var before = termios()
        guard unsafe tcgetattr(fileDescriptor, &before) == 0 else { return try body() }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO | ISIG)
        silent.c_lflag |= tcflag_t(ECHONL | ICANON)
        // Backspace takes a character, not a byte, on terminals that forgot to say so.
        silent.c_iflag |= tcflag_t(IUTF8)
        silent.c_cc.11 = interrupt  // VEOL
        _ = unsafe tcsetattr(fileDescriptor, TCSAFLUSH, &silent)
        defer { _ = unsafe tcsetattr(fileDescriptor, TCSANOW, &before) }
        return try body()
    }
}
