import ApusCore
import ApusTestSupport
import Testing

@testable import ApusState

/// The index of spilled rows against a set of pairs.
@Suite("SpillIndex")
struct SpillIndexTests {
    private struct Entry: Hashable {
        let hash: UInt64
        let location: Int
    }

    @Test(
        "holds what was put in, moved and not taken out",
        arguments: 1...4 as ClosedRange<UInt64>
    )
    func holdsWhatWasPutIn(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let index = SpillIndex(groups: KeyGroups(count: 3))
        defer { index.destroy() }
        var entries: [Entry] = []
        for step in 0..<20_000 {
            // It grows for a while, then shrinks: tables are resized both ways.
            let removes = step > 12_000 ? 7 : 3
            if !entries.isEmpty, generator.number(in: 0...9) < removes {
                let at = generator.number(in: 0...entries.count - 1)
                let entry = entries[at]
                if generator.isOnce(in: 3) {
                    let location = 1 << 30 + step
                    index.move(entry.hash, from: entry.location, to: location)
                    entries[at] = Entry(hash: entry.hash, location: location)
                } else {
                    index.remove(entry.hash, entry.location)
                    entries[at] = entries[entries.count - 1]
                    entries.removeLast()
                }
            } else {
                // Few different tags, so that many collide; any group.
                let tag = UInt64(generator.number(in: 0...500)) << 14
                let entry = Entry(hash: generator.next() << 32 | tag, location: step)
                index.insert(entry.hash, entry.location)
                entries.append(entry)
            }
            #expect(index.count == entries.count, "seed \(seed), step \(step)")
        }
        for entry in entries {
            var place = 0
            var found = false
            while let location = index.next(entry.hash, &place) {
                if location == entry.location { found = true }
            }
            #expect(found, "seed \(seed): \(entry)")
            #expect(!index.contains(entry.hash, entry.location + 100_000))
        }
    }

    @Test("tells a hash that is not there from one that is")
    func tellsAHashThatIsNotThere() {
        let index = SpillIndex(groups: KeyGroups(count: 1))
        defer { index.destroy() }
        var place = 0
        #expect(index.next(5, &place) == nil)
        index.insert(5, 0)
        place = 0
        #expect(index.next(5, &place) == 0)
        #expect(index.next(5, &place) == nil)
        place = 0
        #expect(index.next(6, &place) == nil)
    }
}
