import Testing

@testable import ApusCore

/// Every group has one owner, whichever way one asks, and hashes fall into groups evenly.
@Suite("KeyGroups")
struct KeyGroupsTests {
    @Test(
        "are dealt out to subtasks completely and without overlap",
        arguments: [1, 2, 7, 64, 100, 127, 128, 1024, 32_768]
    )
    func areDealtOutCompletely(count: Int) {
        let groups = KeyGroups(count: count)
        for parallelism in 1...64 {
            var next = 0
            for subtask in 0..<parallelism {
                let owned = groups.groups(ofSubtask: subtask, parallelism: parallelism)
                guard owned.lowerBound == next else {
                    Issue.record(
                        "\(parallelism) subtasks: \(subtask) owns \(owned), not \(next)..."
                    )
                    return
                }
                next = owned.upperBound
                let sizes = (count / parallelism)...((count + parallelism - 1) / parallelism)
                #expect(sizes.contains(owned.count), "subtask \(subtask) of \(parallelism)")
                let wrong = owned.first {
                    groups.subtask(ofGroup: $0, parallelism: parallelism) != subtask
                }
                #expect(wrong == nil, "subtask \(subtask) of \(parallelism)")
            }
            #expect(next == count, "\(parallelism) subtasks")
        }
    }

    @Test("hold every hash, in the order of hashes", arguments: [1, 2, 7, 128, 1000, 32_768])
    func holdEveryHash(count: Int) {
        let groups = KeyGroups(count: count)
        #expect(groups.group(ofHash: 0) == 0)
        #expect(groups.group(ofHash: .max) == count - 1)
        var generator = SplitMix64(seed: 3)
        var last = 0
        for hash in (0..<10_000).map({ _ in generator.next() }).sorted() {
            let group = groups.group(ofHash: hash)
            guard (last..<count).contains(group) else {
                Issue.record("hash \(hash) is in group \(group) of \(count), after \(last)")
                return
            }
            last = group
        }
    }

    @Test("are filled evenly")
    func areFilledEvenly() {
        let groups = KeyGroups(count: 7)
        var generator = SplitMix64(seed: 5)
        var counts = Array(repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[groups.group(ofHash: generator.next())] += 1 }
        #expect(counts.allSatisfy { (9_500...10_500).contains($0) }, "\(counts)")
    }

    @Test("begin where the arithmetic says: the first hash of each group")
    func beginWhereTheArithmeticSays() {
        let groups = KeyGroups(count: 128)
        for group in 1..<128 {
            let first = UInt64(group) << 57
            #expect(groups.group(ofHash: first) == group)
            #expect(groups.group(ofHash: first - 1) == group - 1)
        }
    }

    @Test("are at least 1 and at most 32,768")
    func areLimited() async {
        await #expect(processExitsWith: .failure) { _ = KeyGroups(count: 0) }
        await #expect(processExitsWith: .failure) { _ = KeyGroups(count: 32_769) }
    }
}
