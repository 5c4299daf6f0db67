/// A binary heap: the least element is at hand, and taking it out or replacing it costs log2(count) comparisons.
struct MinimumHeap<Element: Comparable> {
    private var elements: [Element] = []

    init() {}

    /// Orders `elements` in linear time.
    init(_ elements: [Element]) {
        self.elements = elements
        for index in stride(from: elements.count / 2 - 1, through: 0, by: -1) { siftDown(from: index) }
    }

    var isEmpty: Bool { elements.isEmpty }

    /// The least.
    var first: Element? { elements.first }

    /// The least but one.
    var second: Element? {
        if elements.count > 2 { return min(elements[1], elements[2]) }
        return elements.count == 2 ? elements[1] : nil
    }

    mutating func insert(_ element: Element) {
        elements.append(element)
        var index = elements.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard elements[index] < elements[parent] else { return }
            elements.swapAt(index, parent)
            index = parent
        }
    }

    /// Puts `element` in the place of the least, or nothing.
    ///
    /// There must be one.
    mutating func replaceFirst(with element: Element?) {
        if let element {
            elements[0] = element
        } else {
            elements[0] = elements[elements.count - 1]
            elements.removeLast()
        }
        siftDown(from: 0)
    }

    private mutating func siftDown(from start: Int) {
        var index = start
        while true {
            var child = 2 * index + 1
            guard child < elements.count else { return }
            if child + 1 < elements.count, elements[child + 1] < elements[child] { child += 1 }
            guard elements[child] < elements[index] else { return }
            elements.swapAt(index, child)
            index = child
        }
    }
}

extension MinimumHeap: Sendable where Element: Sendable {}
