internal import Glibc

// Memory for what a rebuild holds, hundreds of MiB. In pages of 4 KiB, asking the kernel for them one by one takes six
// times as long as in pages of 2 MiB. It lives here because it is the one place besides Cryptography that may be
// `unsafe`.

extension Array where Element: BitwiseCopyable {
    /// From how many bytes on large pages are asked for: below, a page of 2 MiB would be mostly empty.
    private static var leastLargeBytes: Int { 4 << 20 }

    /// An empty array with room for `capacity` elements, in pages of 2 MiB where the machine has them.
    ///
    /// Only what is written to takes memory.
    package init(largePagesWithCapacity capacity: Int) {
        unsafe self.init(unsafeUninitializedCapacity: capacity) { buffer, _ in
            unsafe UnsafeMutableRawBufferPointer(buffer).adviseLargePages()
        }
    }

    /// Appends `element`; an array of many MiB grows into large pages.
    package mutating func appendInLargePages(_ element: Element) {
        if count == capacity, count * MemoryLayout<Element>.stride >= Self.leastLargeBytes {
            // More than twice as many: only what is written to takes memory, and what is copied was written twice.
            var larger = Self(largePagesWithCapacity: 4 * count)
            larger.append(contentsOf: self)
            self = larger
        }
        append(element)
    }

    /// An array of `count` times `element`; one of many MiB is in large pages.
    package init(inLargePages element: Element, count: Int) {
        guard count * MemoryLayout<Element>.stride >= Self.leastLargeBytes else {
            self.init(repeating: element, count: count)
            return
        }
        self.init(largePagesWithCapacity: count)
        append(contentsOf: repeatElement(element, count: count))
    }
}

extension UnsafeMutableRawBufferPointer {
    @unsafe
    fileprivate func adviseLargePages() {
        guard let baseAddress = baseAddress else { return }
        let page = Int(getpagesize())
        let start = (Int(bitPattern: baseAddress) + page - 1) / page * page
        let end = (Int(bitPattern: baseAddress) + count) / page * page
        guard start < end else { return }
        // Advice: where it isn't taken, the pages are small ones.
        _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: start), end - start, MADV_HUGEPAGE)
    }
}
