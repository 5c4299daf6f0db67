import Foundation

/// A file that was named on the command line; `-` is standard input.
struct InputFile {
    let name: String

    init(_ name: String) { self.name = name }

    var isFolder: Bool {
        guard name != "-" else { return false }
        let target = URL(fileURLWithPath: name).resolvingSymlinksInPath().path
        let type = try? FileManager.default.attributesOfItem(atPath: target)[.type] as? FileAttributeType
        return type == .typeDirectory
    }

    /// Reads it.
    ///
    /// - Parameter maximumByteCount: The most bytes that make sense; of more, one more than that is read.
    /// - Throws: ``CommandFailure`` with the status `usage` if it can't be read.
    func read(maximumByteCount: Int) throws -> [UInt8] {
        do {
            let file = name == "-" ? .standardInput : try FileHandle(forReadingFrom: URL(fileURLWithPath: name))
            var bytes: [UInt8] = []
            while bytes.count <= maximumByteCount,
                let data = try file.read(upToCount: maximumByteCount + 1 - bytes.count), !data.isEmpty
            {
                bytes += data
            }
            return bytes
        } catch CocoaError.fileReadNoSuchFile, CocoaError.fileNoSuchFile {
            throw CommandFailure("there is no file \(name.shownAsJSON)", status: .usage)
        } catch {
            throw CommandFailure("\(name.shownAsJSON) can't be read: \(error.shortDescription)", status: .usage)
        }
    }
}
