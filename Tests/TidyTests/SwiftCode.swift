/// Swift source with what is not code blanked.
///
/// That is: comments, string literals (but what is interpolated in them), and names in backticks, which may hold any
/// words. Line ends stay, so that lines keep their numbers.
///
/// It knows nested comments, multi-line and raw strings, and regex literals as far as `#/…/#`; a bare `/…/` is read
/// as code.
enum SwiftCode {
    static func blanked(_ text: String) -> String {
        var scanner = Scanner(input: Array(text))
        scanner.code(until: nil)
        return String(scanner.output)
    }

    private struct Scanner {
        let input: [Character]
        var output: [Character] = []
        var position = 0

        /// Reads code up to the `)` that closes an interpolation, or to the end.
        mutating func code(until close: Character?) {
            var depth = 0
            while position < input.count {
                if starts(with: "//") {
                    while position < input.count, !input[position].isNewline { blank() }
                } else if starts(with: "/*") {
                    blockComment()
                } else if let hashes = stringStart() {
                    string(hashes: hashes)
                } else if starts(with: "#/") {
                    blank(2)
                    while position < input.count, !starts(with: "/#") { blank() }
                    blank(2)
                } else if input[position] == "`" {
                    blank()
                    while position < input.count, input[position] != "`", !input[position].isNewline { blank() }
                    blank()
                } else {
                    if input[position] == "(" { depth += 1 }
                    if input[position] == ")" {
                        if depth == 0, close == ")" { return }
                        depth -= 1
                    }
                    keep()
                }
            }
        }

        private mutating func blockComment() {
            var depth = 0
            repeat {
                if starts(with: "/*") {
                    depth += 1
                    blank(2)
                } else if starts(with: "*/") {
                    depth -= 1
                    blank(2)
                } else {
                    blank()
                }
            } while depth > 0 && position < input.count
        }

        /// The number of `#` before the quote of a string that begins here.
        private func stringStart() -> Int? {
            let hashes = input[position...].prefix { $0 == "#" }.count
            let quote = position + hashes
            return quote < input.count && input[quote] == "\"" ? hashes : nil
        }

        private mutating func string(hashes: Int) {
            let marks = String(repeating: "#", count: hashes)
            blank(hashes)
            let quote = starts(with: "\"\"\"") ? "\"\"\"" : "\""
            blank(quote.count)
            while position < input.count {
                if starts(with: quote + marks) {
                    blank(quote.count + hashes)
                    return
                }
                if starts(with: "\\" + marks) {
                    blank(1 + hashes)
                    if position < input.count, input[position] == "(" {
                        blank()
                        code(until: ")")
                    }
                    blank()
                } else if quote == "\"", input[position].isNewline {
                    return
                } else {
                    blank()
                }
            }
        }

        private func starts(with token: String) -> Bool {
            input[position...].starts(with: token)
        }

        private mutating func keep() {
            output.append(input[position])
            position += 1
        }

        private mutating func blank(_ count: Int = 1) {
            for _ in 0..<count where position < input.count {
                output.append(input[position].isNewline ? "\n" : " ")
                position += 1
            }
        }
    }
}

extension StringProtocol {
    /// Its identifiers and keywords, in order.
    var words: [String] {
        split(whereSeparator: { !($0.isLetter || $0.isNumber || $0 == "_") }).map { String($0) }
    }
}
