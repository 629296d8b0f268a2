import ApusCore
import ApusIO
import ApusSwap
import ApusTestSupport
import Testing

/// What was decided is found again, whatever the process and the disk did meanwhile.
@Suite("The swap journal")
struct SwapJournalTests {
    private let folder: TemporaryFolder
    private static let name = "swap/journal"

    init() throws { folder = try TemporaryFolder() }

    private func open(
        _ disk: any Disk = LinuxDisk(),
        warn: (String) -> Void = { Issue.record("warned: \($0)") }
    ) throws -> SwapJournal {
        try SwapJournal(inFolder: folder.path, disk: disk, warn: warn)
    }

    /// One of each entry; every prefix is a history.
    private static let events: [SwapEntry.Event] = [
        .intent(.sample("1", "2")), .cutting(swap: 1), .cut(swap: 1, checkpoint: 7),
        .committed(swap: 1),
        .swept(swap: 1), .intent(.sample("2", "3", guarded: false)),
        .abandoned(swap: 2, reason: "ümlaut / \"quotes\"\n"), .intent(.sample("2", "4")),
        .cut(swap: 3, checkpoint: nil),
        .rolledBack(swap: 3, reason: "error rate", checkpoint: 9, cause: .breach, last: 12),
        .adoptedJobFile(SwapIntent.JobFile(sha256: "6", path: "/jobs/6.yaml")),
        .released(sha256: PluginVersion.sample("4").sha256),
        .adopted(operator: "op", sha256: PluginVersion.sample("5").sha256),
    ]

    @discardableResult
    private func fill(_ journal: SwapJournal) throws -> [SwapHistory] {
        try Self.events.enumerated().map { index, event in
            try journal.add(event, atMicroseconds: Int64(index))
            return journal.history
        }
    }

    @Test("What was noted is found again by the next process, and by who only reads")
    func reopening() throws {
        #expect(try SwapJournal.read(inFolder: folder.path, disk: LinuxDisk()) == nil)
        let journal = try open()
        #expect(journal.history == SwapHistory())
        let last = try #require(try fill(journal).last)
        #expect(try open().history == last)
        #expect(try SwapJournal.read(inFolder: folder.path, disk: LinuxDisk()) == last)
        #expect(last.swaps.map(\.outcome.name) == ["committed", "abandoned", "rolled-back"])
        #expect(last.swaps.map(\.intent.swap) == [1, 2, 3])
        #expect(last.swaps[0].isSwept)
        #expect(last.swaps[0].checkpoint == 7)
        #expect(last.nextNumber == 4)
        #expect(last.quarantined.isEmpty, "it was released")
    }

    @Test("The bytes are those of the table in docs/formats/swap-journal.md")
    func bytes() throws {
        let journal = try open()
        try journal.add(.released(sha256: "ab"), atMicroseconds: 5)
        let bytes = try folder.bytes(Self.name)
        let payload = #"{"at":5,"entry":"released","sha256":"ab"}"#
        #expect(bytes[..<12].elementsEqual(Array("APUSSWAP".utf8) + [1, 0, 0, 0]))
        #expect(integer(bytes, 12) == CRC32C.of(Array(bytes[..<12])))
        #expect(integer(bytes, 16) == UInt32(payload.utf8.count))
        #expect(integer(bytes, 20) == CRC32C.of(Array(bytes[16..<20]) + bytes[24...]))
        #expect(integer(bytes, 24) == 1)
        #expect(String(decoding: bytes[28...], as: UTF8.self) == payload)
    }

    private func integer(_ bytes: [UInt8], _ at: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << (8 * UInt32($1)) }
    }

    @Test("Cut off anywhere, it holds what was whole, says so, and goes on from there")
    func truncations() throws {
        let journal = try open()
        let head = try folder.bytes(Self.name).count
        var ends = [head]
        var histories = [SwapHistory()]
        for (index, event) in Self.events.enumerated() {
            try journal.add(event, atMicroseconds: Int64(index))
            ends.append(try folder.bytes(Self.name).count)
            histories.append(journal.history)
        }
        let all = try folder.bytes(Self.name)
        for count in head...all.count {
            try folder.write(Self.name, Array(all[..<count]))
            let whole = try #require(ends.lastIndex { $0 <= count })
            #expect(
                try SwapJournal.read(inFolder: folder.path, disk: LinuxDisk()) == histories[whole]
            )
            #expect(try folder.bytes(Self.name).count == count, "who reads changes nothing")
            var warnings: [String] = []
            let again = try open { warnings.append($0) }
            #expect(again.history == histories[whole])
            #expect(warnings.isEmpty == ends.contains(count), "\(count)")
            #expect(warnings.allSatisfy { $0.contains("offset \(ends[whole])") })
            #expect(try folder.bytes(Self.name).count == ends[whole])
            if whole < Self.events.count {
                try again.add(Self.events[whole], atMicroseconds: Int64(whole))
                #expect(try open().history == histories[whole + 1])
            }
        }
    }

    @Test("A tail of zeros, as a power cut leaves it, is cut off")
    func zeros() throws {
        let last = try fill(try open()).last
        try folder.write(Self.name, try folder.bytes(Self.name) + [UInt8](repeating: 0, count: 99))
        var warnings: [String] = []
        #expect(try open { warnings.append($0) }.history == last)
        #expect(warnings.count == 1)
    }

    @Test("A byte that has changed anywhere but in the last entry is damage, with file and offset")
    func damage() throws {
        let journal = try open()
        try journal.add(Self.events[0], atMicroseconds: 0)
        try journal.add(Self.events[1], atMicroseconds: 0)
        let end = try folder.bytes(Self.name).count
        try journal.add(Self.events[2], atMicroseconds: 0)
        let bytes = try folder.bytes(Self.name)
        for index in 0..<end {
            var changed = bytes
            changed[index] ^= 0x40
            try folder.write(Self.name, changed)
            let error = #expect(throws: SwapJournalError.self) { _ = try open() }
            #expect(error?.kind == .damaged, "byte \(index): \(error?.description ?? "")")
            #expect(error?.description.contains("\(folder.path)/swap/journal: offset ") == true)
        }
        for count in 0..<16 {
            try folder.write(Self.name, Array(bytes[..<count]))
            #expect(throws: SwapJournalError.self) { _ = try open() }
        }
    }

    @Test("A newer format is refused, whether of the file or of an entry")
    func newer() throws {
        var head = Array("APUSSWAP".utf8) + [2, 0, 0, 0]
        head += sum(head)
        try folder.write(Self.name, head)
        var error = #expect(throws: SwapJournalError.self) { _ = try open() }
        #expect(error?.kind == .newer)

        head = Array("APUSSWAP".utf8) + [1, 0, 0, 0]
        head += sum(head)
        let payload: [UInt8] = [2, 0, 0, 0, UInt8(ascii: "{")]
        let record = [1, 0, 0, 0] + sum([1, 0, 0, 0] + payload) + payload
        try folder.write(Self.name, head + record)
        error = #expect(throws: SwapJournalError.self) { _ = try open() }
        #expect(error?.kind == .newer)
        #expect(error?.description.contains("offset 16") == true)
    }

    private func sum(_ bytes: [UInt8]) -> [UInt8] {
        let sum = CRC32C.of(bytes)
        return (0..<4).map { UInt8(truncatingIfNeeded: sum >> (8 * UInt32($0))) }
    }

    @Test("F7: only one operation of any kind is under way, and the error says which")
    func oneAtATime() throws {
        let journal = try open()
        let first = try journal.begin(.sample("1", "2"), atMicroseconds: 0)
        #expect(first.swap == 1)
        for next in [SwapIntent.sample("2", "3"), SwapIntent(.rescale), SwapIntent(.purge)] {
            let error = #expect(throws: SwapJournalError.self) {
                _ = try journal.begin(next, atMicroseconds: 1)
            }
            #expect(error?.kind == .underWay)
            #expect(error?.description.contains("swap 1 of op is under way") == true)
        }
        try journal.add(.abandoned(swap: 1, reason: "no"), atMicroseconds: 2)
        #expect(try journal.begin(SwapIntent(.rescale), atMicroseconds: 3).swap == 2)
    }

    @Test("F11: a decision about an operation that is not under way is refused, and not noted")
    func stale() throws {
        let journal = try open()
        _ = try journal.begin(.sample("1", "2"), atMicroseconds: 0)
        try journal.add(.abandoned(swap: 1, reason: "no"), atMicroseconds: 1)
        _ = try journal.begin(.sample("1", "3"), atMicroseconds: 2)
        let before = try folder.bytes(Self.name)
        let stale: [SwapEntry.Event] = [
            .cut(swap: 1, checkpoint: nil), .committed(swap: 1), .committed(swap: 3),
            .rolledBack(swap: 1, reason: "", checkpoint: nil, cause: .request),
            .abandoned(swap: 1, reason: ""), .swept(swap: 9),
        ]
        for event in stale {
            let error = #expect(throws: SwapJournalError.self) {
                try journal.add(event, atMicroseconds: 3)
            }
            #expect(error?.kind == .notUnderWay)
        }
        try journal.add(.cut(swap: 2, checkpoint: nil), atMicroseconds: 4)
        #expect(throws: SwapJournalError.self) {
            try journal.add(.cut(swap: 2, checkpoint: nil), atMicroseconds: 5)
        }
        #expect(try folder.bytes(Self.name).starts(with: before))
        #expect(try open().history == journal.history)
    }

    @Test("F50: a swap that was made, and one from another version, are refused")
    func compareAndSwap() throws {
        let intent = SwapIntent.sample("1", "2")
        #expect(intent.problem(running: ["op": .sample("1")]) == nil)
        #expect(intent.problem(running: ["op": .sample("1")], expected: "111111") == nil)
        #expect(intent.problem(running: ["op": .sample("2")])?.kind == .alreadyInForce)
        #expect(intent.problem(running: ["op": .sample("3")])?.kind == .otherVersion)
        #expect(intent.problem(running: [:])?.kind == .otherVersion)
        let other = intent.problem(running: ["op": .sample("1")], expected: "1114")
        #expect(other?.kind == .otherVersion)
        #expect(other?.description.contains("a file 1114") == true)
    }

    @Test("What was taken back for a breach or a crash is not tried again until it is released")
    func quarantine() throws {
        let journal = try open()
        func roundTrip(_ cause: SwapEntry.Cause) throws {
            let swap = try journal.begin(.sample("1", "2"), atMicroseconds: 0).swap
            try journal.add(.cut(swap: swap, checkpoint: 1), atMicroseconds: 1)
            try journal.add(
                .rolledBack(swap: swap, reason: "5 % errors", checkpoint: 1, cause: cause),
                atMicroseconds: 2
            )
        }
        try roundTrip(.request)
        try roundTrip(.other)
        try roundTrip(.breach)
        let error = #expect(throws: SwapJournalError.self) { try roundTrip(.request) }
        #expect(error?.kind == .quarantined)
        #expect(error?.description.contains("swap 3: 5 % errors") == true)
        let sha256 = PluginVersion.sample("2").sha256
        try journal.add(.released(sha256: sha256), atMicroseconds: 9)
        try roundTrip(.crash)
        #expect(journal.history.quarantine(of: sha256)?.swap == 4)
    }

    @Test("A write that fails half-way leaves nothing, and the next decision is noted")
    func failedWrite() throws {
        let disk = FaultyDisk()
        let journal = try open(disk)
        _ = try journal.begin(.sample("1", "2"), atMicroseconds: 0)
        let before = try folder.bytes(Self.name)
        disk.fail(.write)
        let error = #expect(throws: SwapJournalError.self) {
            try journal.add(.cut(swap: 1, checkpoint: 3), atMicroseconds: 1)
        }
        #expect(error?.kind == .disk)
        #expect(try folder.bytes(Self.name) == before)
        #expect(journal.history.open?.cut == nil)
        try journal.add(.cut(swap: 1, checkpoint: 4), atMicroseconds: 1)
        #expect(try open().history.open?.cut?.checkpoint == 4)
    }

    @Test("After a synchronisation that failed nothing more is noted: nobody knows what is there")
    func failedSynchronisation() throws {
        let disk = FaultyDisk()
        let journal = try open(disk)
        _ = try journal.begin(.sample("1", "2"), atMicroseconds: 0)
        disk.fail(.synchronize)
        for _ in 0..<2 {
            let error = #expect(throws: SwapJournalError.self) {
                try journal.add(.abandoned(swap: 1, reason: ""), atMicroseconds: 1)
            }
            #expect(error?.kind == .undecided)
        }
        #expect(journal.history.open != nil)
    }

    @Test("Somebody else who writes to the journal is noticed")
    func meddling() throws {
        let journal = try open()
        try folder.write(Self.name, try folder.bytes(Self.name) + [1])
        let error = #expect(throws: SwapJournalError.self) {
            _ = try journal.begin(.sample("1", "2"), atMicroseconds: 0)
        }
        #expect(error?.kind == .damaged)
    }
}
