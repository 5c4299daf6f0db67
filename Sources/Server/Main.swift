import Foundation

/// Where the process begins.
@main
enum Main {
    static func main() async { exit(await CommandLineEntry.run(Quipu.self)) }
}
