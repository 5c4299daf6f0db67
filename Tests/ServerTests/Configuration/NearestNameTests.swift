import Testing

@testable import Server

/// "Did you mean …?": the distance is a distance, and one slip never leads astray.
@Suite struct NearestNameTests {
    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("", "abc", 3), ("port", "prot", 1), ("port", "sort", 1), ("port", "ports", 1),
        ("kitten", "sitting", 3), ("ca", "abc", 3), ("ab", "ba", 1),
    ])
    func `the distance counts single slips`(left: String, right: String, distance: Int) {
        #expect(NearestName.editDistance(left, right) == distance)
        #expect(NearestName.editDistance(right, left) == distance)
    }

    @Test(arguments: Setting.all.map(\.name))
    func `a key with one slip anywhere finds itself`(name: String) {
        let known = Setting.all.map(\.name)
        let characters = Array(name)
        for index in characters.indices {
            var missing = characters
            missing.remove(at: index)
            var swapped = characters
            if index > 0 { swapped.swapAt(index - 1, index) }
            for slip in [missing, swapped] {
                #expect(NearestName.find(String(slip), among: known) == name)
            }
        }
    }

    @Test func `the first of equals is taken, and none if none is known`() {
        #expect(NearestName.find("c", among: ["a", "b"]) == "a")
        #expect(NearestName.find("c", among: []) == nil)
    }
}
