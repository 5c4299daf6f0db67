import Testing

@testable import Broker

/// What the writer remembers, what it asks for, and what it forgets.
@Suite struct WriterMemoryTests {
    @Test func `a key is asked for once, and then known`() {
        var memory = WriterMemory<Int, String>()
        var asked: [Int] = []
        func value(_ key: Int) -> String {
            memory.value(of: key) { key in
                asked.append(key)
                return Answer("view", asOf: 1)
            }
        }
        #expect(value(1) == "view")
        #expect(value(1) == "view")
        memory.set("new", for: 2, at: 5)
        #expect(value(2) == "new")
        memory.commit(projected: 1)
        #expect(value(2) == "new")
        #expect(asked == [1])
    }

    @Test func `a batch that failed is forgotten, what was known before isn't`() {
        var memory = WriterMemory<Int, String>()
        memory.set("old", for: 1, at: 1)
        memory.commit(projected: 0)
        memory.set("lost", for: 1, at: 2)
        memory.set("lost", for: 2, at: 2)
        #expect(memory.value(of: 1) { _ in Answer("view", asOf: 0) } == "lost")
        memory.rollBack()
        #expect(memory.value(of: 1) { _ in Answer("view", asOf: 0) } == "old")
        #expect(memory.value(of: 2) { _ in Answer("view", asOf: 0) } == "view")
    }

    @Test func `past its capacity it forgets what the view knows, and nothing else`() {
        var memory = WriterMemory<Int, Int>(capacity: 10)
        for key in 1...10 { memory.set(key, for: key, at: Offset(key)) }
        memory.commit(projected: 10)
        #expect(known(memory, 1...10) == Array(1...10))
        memory.set(11, for: 11, at: 11)
        memory.commit(projected: 6)
        #expect(known(memory, 1...11) == Array(7...11))
    }

    /// Otherwise a view that is away would cost a sweep over everything at each commit.
    @Test func `what the view doesn't know is all kept, however much it is`() {
        var memory = WriterMemory<Int, Int>(capacity: 10)
        for key in 1...1000 {
            memory.set(key, for: key, at: Offset(key))
            memory.commit(projected: 0)
        }
        #expect(known(memory, 1...1000) == Array(1...1000))
        for key in 1001...2100 {
            memory.set(key, for: key, at: Offset(key))
            memory.commit(projected: 1000)
        }
        #expect(known(memory, 1...1000) == [])
        #expect(known(memory, 1001...2100) == Array(1001...2100))
    }

    @Test func `a replayed event changes what doesn't reflect it yet`() {
        var memory = WriterMemory<Int, Int>()
        for offset in 1...6 as ClosedRange<Offset> {
            // The view was at 3 when it was asked.
            memory.replay(1, at: offset, otherwise: { _ in Answer(300, asOf: 3) }, { $0 += 1 })
        }
        #expect(memory.value(of: 1) { _ in Answer(0, asOf: 0) } == 303)
    }

    @Test func `what changed after an offset is told once, as it is now`() {
        var memory = WriterMemory<Int, String>()
        for key in 1...3 { memory.set("old", for: key, at: Offset(key)) }
        memory.commit(projected: 0)
        memory.set("new", for: 1, at: 4)
        memory.set("new", for: 9, at: 5)
        var changed: [Int: (String, Offset)] = [:]
        memory.changed(after: 2) { key, value, offset in
            #expect(changed[key] == nil)
            changed[key] = (value, offset)
        }
        #expect(changed.keys.sorted() == [1, 3, 9])
        #expect(changed[1]?.0 == "new")
        #expect(changed[1]?.1 == 4)
        #expect(changed[3]?.0 == "old")
    }

    /// The keys among `keys` that aren't asked of the view.
    private func known(_ memory: WriterMemory<Int, Int>, _ keys: ClosedRange<Int>) -> [Int] {
        var memory = memory
        return keys.filter { key in memory.value(of: key) { _ in Answer(-1, asOf: 0) } != -1 }
    }
}
