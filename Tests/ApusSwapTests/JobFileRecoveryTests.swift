import ApusSwap
import Testing

/// Which job file a start runs, and from where, when upgrades have brought others.
@Suite("Recovery of upgrades")
struct JobFileRecoveryTests {
    private static func file(_ name: Character) -> SwapIntent.JobFile {
        SwapIntent.JobFile(sha256: String(repeating: name, count: 64), path: "/jobs/\(name).yaml")
    }

    private static func intent(
        _ from: Character,
        _ to: Character,
        guarded: Bool = true
    ) -> SwapEntry.Event {
        var intent = SwapIntent(.upgrade, cut: .barrier)
        intent.jobFile = SwapIntent.JobFileChange(from: file(from), to: file(to))
        if guarded { intent.guard = SwapIntent.Guard(durationMicroseconds: 1_000_000) }
        return .intent(intent)
    }

    private static let cut = SwapEntry.Event.cut(swap: 1, checkpoint: 7)
    private static let back = SwapEntry.Event.rolledBack(
        swap: 1,
        reason: "slow",
        checkpoint: 7,
        cause: .request,
        last: 9
    )

    /// A case of the table.
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var events: [SwapEntry.Event]
        /// The file with which the job is started, and the newest checkpoint.
        var given: Character
        var newest: UInt64
        /// The file that runs instead; nil for the given one.
        var runs: Character?
        /// The checkpoint that the job goes back to; nil for the newest.
        var goesBackTo: UInt64?
        /// What is noted.
        var noted: [SwapEntry.Event] = []

        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "before the cut nothing was done",
            events: [intent("a", "b")],
            given: "a",
            newest: 6,
            noted: [.abandoned(swap: 1, reason: "the process ended before the cut")]
        ),
        Case(
            name: "a guarded one goes back behind the cut",
            events: [intent("a", "b"), cut],
            given: "a",
            newest: 9,
            goesBackTo: 7,
            noted: [crash(back: 7, last: 9)]
        ),
        Case(
            name: "and to the old content, when the file was changed in place",
            events: [intent("a", "b"), cut],
            given: "b",
            newest: 9,
            runs: "a",
            goesBackTo: 7,
            noted: [crash(back: 7, last: 9)]
        ),
        Case(
            name: "one without a guard that is in a checkpoint stays",
            events: [intent("a", "b", guarded: false), cut],
            given: "a",
            newest: 8,
            runs: "b",
            noted: [.committed(swap: 1)]
        ),
        Case(
            name: "one that is not yet does not",
            events: [intent("a", "b", guarded: false), cut],
            given: "b",
            newest: 7,
            runs: "a",
            noted: [
                .rolledBack(
                    swap: 1,
                    reason: "the process ended before the swap was in a checkpoint",
                    checkpoint: 7,
                    cause: .other
                )
            ]
        ),
        Case(
            name: "the old file means the new one",
            events: [intent("a", "b"), cut, .committed(swap: 1)],
            given: "a",
            newest: 12,
            runs: "b"
        ),
        Case(
            name: "the new one is the new one",
            events: [intent("a", "b"), cut, .committed(swap: 1)],
            given: "b",
            newest: 12
        ),
        Case(
            name: "a third one counts from now on",
            events: [intent("a", "b"), cut, .committed(swap: 1)],
            given: "c",
            newest: 12,
            noted: [.adoptedJobFile(file("c"))]
        ),
        Case(
            name: "and then the first one is itself again",
            events: [
                intent("a", "b"), cut, .committed(swap: 1),
                .adoptedJobFile(file("a")),
            ],
            given: "a",
            newest: 12
        ),
        Case(
            name: "what was taken back is not run by mistake, a third one later either",
            events: [intent("a", "b"), cut, back, .adoptedJobFile(file("c"))],
            given: "b",
            newest: 10,
            runs: "c"
        ),
        Case(
            name: "checkpoints of a graph that was taken back are left",
            events: [intent("a", "b"), cut, back],
            given: "a",
            newest: 9,
            goesBackTo: 7
        ),
        Case(
            name: "those of the old one since then are not",
            events: [intent("a", "b"), cut, back],
            given: "a",
            newest: 10
        ),
        Case(
            name: "what was taken back is not run by mistake",
            events: [intent("a", "b"), cut, back],
            given: "b",
            newest: 10,
            runs: "a"
        ),
    ]

    private static func crash(back: UInt64, last: UInt64) -> SwapEntry.Event {
        .rolledBack(
            swap: 1,
            reason: "the process ended during the probation",
            checkpoint: back,
            cause: .crash,
            last: last
        )
    }

    @Test("Each state of a journal has its job file", arguments: cases)
    func decides(_ row: Case) throws {
        let history = try SwapHistory.numbered(row.events)
        let all = (5...row.newest).map { SwapRecovery.Checkpoint(number: $0, plugins: [:]) }
        let recovery = try SwapRecovery(
            SwapRecovery.Situation(
                history: history,
                jobFile: [:],
                origin: .newest,
                checkpoint: all.last,
                checkpoints: all,
                given: Self.file(row.given)
            )
        )
        #expect(recovery.jobFile == row.runs.map(Self.file))
        #expect((recovery.jobFileNote != nil) == (row.runs != nil))
        #expect(recovery.checkpoint == row.goesBackTo)
        #expect(recovery.events == row.noted)
    }

    @Test("Who says so gets the file and the version that were replaced, and they count")
    func forgets() throws {
        let swapped = try SwapHistory.numbered([
            Self.intent("a", "b"), Self.cut, .committed(swap: 1), .intent(.sample("1", "2")),
            .cut(swap: 2, checkpoint: 8), .committed(swap: 2),
        ])
        let named = ["op": SwapRecovery.Named(sha256: PluginVersion.sample("1").sha256)]
        var situation = SwapRecovery.Situation(
            history: swapped,
            jobFile: named,
            origin: .newest,
            checkpoint: nil,
            given: Self.file("a")
        )
        #expect(try SwapRecovery(situation).jobFile == Self.file("b"))
        situation.forgetsSwaps = true
        let found = try SwapRecovery(situation)
        #expect(found.jobFile == nil)
        #expect(found.versions.isEmpty)
        #expect(
            found.events == [
                .adoptedJobFile(Self.file("a")),
                .adopted(operator: "op", sha256: PluginVersion.sample("1").sha256),
            ]
        )
        // From then on it needs not be said again.
        situation.forgetsSwaps = false
        for event in found.events {
            try situation.history.add(SwapEntry(atMicroseconds: 0, event))
        }
        let again = try SwapRecovery(situation)
        #expect(again.jobFile == nil)
        #expect(again.versions.isEmpty)
        #expect(again.events.isEmpty)
    }

    @Test("The store keeps what counts and what is under way")
    func keeps() throws {
        let open = try SwapHistory.numbered([Self.intent("a", "b")])
        #expect(open.neededJobFiles == [Self.file("a").sha256, Self.file("b").sha256])
        let over = try SwapHistory.numbered([
            Self.intent("a", "b"), Self.cut, .committed(swap: 1),
        ])
        #expect(over.neededJobFiles == [Self.file("b").sha256])
    }
}
