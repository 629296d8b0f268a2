import ApusIO
import ApusSwap
import Testing

/// What a start makes of each thing that a journal can say when a process has ended.
@Suite("Recovery of swaps")
struct SwapRecoveryTests {
    /// A case of the table; versions are digits, as in ``PluginVersion/sample(_:component:)``.
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        /// What the journal says.
        var events: [SwapEntry.Event]
        /// The version that the job file names; nil when its file is missing.
        var jobFile: Character? = "1"
        var origin = SwapRecovery.Origin.newest
        /// The checkpoint that the job would go on from, and the version that wrote it.
        var checkpoint: (number: UInt64, version: Character)?
        /// Those before it.
        var older: [(number: UInt64, version: Character)] = [(5, "1"), (7, "1")]
        /// The version that runs; nil for the job file's.
        var runs: Character?
        /// The checkpoint that the job goes back to; nil for the one above.
        var back: UInt64?
        /// What is noted, as the journal names it.
        var noted: [String] = []
        /// What the sentence says; nil for no sentence.
        var says: String?

        var testDescription: String { name }
    }

    private static let guarded = SwapEntry.Event.intent(.sample("1", "2"))
    private static let unguarded = SwapEntry.Event.intent(.sample("1", "2", guarded: false))
    private static let codeOnly = SwapEntry.Event.intent(
        .sample("1", "2", isCodeOnly: true, cut: .boundary)
    )
    private static let atBoundary = SwapEntry.Event.intent(.sample("1", "2", cut: .boundary))
    private static let cut = SwapEntry.Event.cut(swap: 1, checkpoint: 7)
    private static let cutNowhere = SwapEntry.Event.cut(swap: 1, checkpoint: nil)
    private static let committed = SwapEntry.Event.committed(swap: 1)

    static let cases: [Case] = [
        Case(name: "F1: before the intent there is no residue", events: [], checkpoint: (7, "1")),
        Case(
            name: "F2: after the intent, before the cut: nothing was done",
            events: [guarded],
            checkpoint: (7, "1"),
            noted: ["abandoned"],
            says: "swap 1 of op was under way, and nothing of it was done: the old version runs"
        ),
        Case(
            name: "F2: without a checkpoint as well",
            events: [unguarded],
            noted: ["abandoned"],
            says: "nothing of it was done"
        ),
        Case(
            name: "F3: a crash at the first record beats the note of the cut",
            events: [guarded, .cutting(swap: 1)],
            checkpoint: (7, "1"),
            noted: ["rolled-back to 7, crash"],
            says: "on probation when the process ended: rolled back, the old version runs from "
                + "checkpoint 7"
        ),
        Case(
            name: "F3: the same without a guard",
            events: [unguarded, .cutting(swap: 1)],
            checkpoint: (7, "1"),
            noted: ["rolled-back to 7, other"],
            says: "was not in a checkpoint yet when the process ended"
        ),
        Case(
            name: "F3: after the cut, before the commit, newer checkpoints delivered nothing",
            events: [guarded, cut],
            checkpoint: (9, "2"),
            back: 7,
            noted: ["rolled-back to 7, crash"],
            says: "on probation when the process ended: rolled back, the old version runs from "
                + "checkpoint 7"
        ),
        Case(
            name: "F3: the checkpoint of the cut is the newest",
            events: [guarded, cut],
            checkpoint: (7, "1"),
            noted: ["rolled-back to 7, crash"],
            says: "from checkpoint 7"
        ),
        Case(
            name: "F5: the checkpoint of the cut did not come to be complete",
            events: [guarded, cut],
            checkpoint: (6, "1"),
            noted: ["rolled-back to 6, crash"],
            says: "from checkpoint 6"
        ),
        Case(
            name: "F5: the first checkpoint was to be the one of the cut",
            events: [guarded, cut],
            noted: ["rolled-back to nil, crash"],
            says: "from the beginning"
        ),
        Case(
            name: "F3: the file that the job file names was overwritten with the new version",
            events: [guarded, cut],
            jobFile: "2",
            checkpoint: (9, "2"),
            runs: "1",
            back: 7,
            noted: ["rolled-back to 7, crash"],
            says: "because the version that the job file names was taken back by swap 1"
        ),
        Case(
            name: "the user begins anew: the guarded version is gone all the same",
            events: [guarded, cut],
            origin: .beginning,
            noted: ["rolled-back to nil, crash"],
            says: "from the beginning"
        ),
        Case(
            name: "the user names a checkpoint before the cut",
            events: [guarded, cut],
            origin: .named,
            checkpoint: (5, "1"),
            noted: ["rolled-back to 5, crash"],
            says: "from checkpoint 5"
        ),
        Case(
            name: "F3: it ended before the cut was noted, and behind it",
            events: [guarded],
            checkpoint: (9, "2"),
            back: 7,
            noted: ["rolled-back to 7, crash"],
            says: "rolled back, the old version runs from checkpoint 7"
        ),
        Case(
            name: "F5: the checkpoint of the cut was given up, and later ones are complete",
            events: [guarded, cut],
            checkpoint: (9, "2"),
            older: [(4, "1"), (6, "1"), (8, "2")],
            back: 6,
            noted: ["rolled-back to 6, crash"],
            says: "from checkpoint 6"
        ),
        Case(
            name: "it had gone back already, and had not noted that",
            events: [guarded, cut],
            checkpoint: (10, "1"),
            noted: ["rolled-back to 10, crash"],
            says: "the old version runs from checkpoint 10"
        ),
        Case(
            name: "guarded without a checkpoint of the cut, code only: either version reads it",
            events: [codeOnly, cutNowhere],
            checkpoint: (9, "2"),
            noted: ["rolled-back to 9, crash"],
            says: "the old version runs from checkpoint 9"
        ),
        Case(
            name: "guarded without a checkpoint of the cut: the new schema is on the disk",
            events: [atBoundary, cutNowhere],
            checkpoint: (9, "2"),
            runs: "2",
            noted: ["committed"],
            says: "it stays, though its probation was not over"
        ),
        Case(
            name: "I3: not guarded, and a checkpoint of the new version: it was made",
            events: [unguarded, cutNowhere],
            checkpoint: (9, "2"),
            runs: "2",
            noted: ["committed"],
            says: "was made before checkpoint 9, which the new version wrote: it stays"
        ),
        Case(
            name: "I3: even when the cut was not noted",
            events: [unguarded],
            checkpoint: (9, "2"),
            runs: "2",
            noted: ["committed"],
            says: "it stays"
        ),
        Case(
            name: "I3: not guarded, and only a checkpoint of the old version: it was not made",
            events: [unguarded, cutNowhere],
            checkpoint: (6, "1"),
            noted: ["rolled-back to 6, other"],
            says: "was not in a checkpoint yet when the process ended: the old version runs"
        ),
        Case(
            name: "committed: the new version replaces the job file's",
            events: [guarded, cut, committed],
            checkpoint: (9, "2"),
            runs: "2",
            says: "operator 'op': com.example.count 1.2 (222222222222) runs, which has replaced "
                + "the version that the job file names"
        ),
        Case(
            name: "F4: committed and not swept: the same, whatever is swept",
            events: [guarded, cut, committed, .swept(swap: 1)],
            checkpoint: (9, "2"),
            runs: "2",
            says: "which has replaced"
        ),
        Case(
            name: "F6: committed, and the newest checkpoint is older than the cut",
            events: [guarded, cut, committed],
            checkpoint: (6, "1"),
            runs: "2",
            says: "what an older version wrote is migrated"
        ),
        Case(
            name: "committed, and the job file names the new version by now",
            events: [guarded, cut, committed],
            jobFile: "2",
            checkpoint: (9, "2")
        ),
        Case(
            name: "committed, and the file that the job file names is gone",
            events: [guarded, cut, committed],
            jobFile: nil,
            checkpoint: (9, "2"),
            runs: "2",
            says: "the plugin that the job file names is not there"
        ),
        Case(
            name: "committed, and the job file names a third version",
            events: [guarded, cut, committed],
            jobFile: "5",
            checkpoint: (9, "2"),
            noted: ["adopted 5"],
            says: "the job file names another version (555555555555) than the last swap has brought"
        ),
        Case(
            name: "a third version was adopted: an older one in the job file is what it says",
            events: [
                guarded, cut, committed,
                .adopted(operator: "op", sha256: PluginVersion.sample("5").sha256),
            ],
            checkpoint: (9, "5")
        ),
        Case(
            name: "two swaps: the job file names the first version, or the one in between",
            events: [
                guarded, committed, .intent(.sample("2", "3")), .committed(swap: 2),
            ],
            checkpoint: (9, "3"),
            runs: "3",
            says: "1.3"
        ),
        Case(
            name: "there and back: the job file's version is the current one again",
            events: [
                guarded, committed, .intent(.sample("2", "1")), .committed(swap: 2),
            ],
            checkpoint: (9, "1")
        ),
        Case(
            name: "a second swap is rolled back to the first one's version",
            events: [
                guarded, committed, .intent(.sample("2", "3")), .cut(swap: 2, checkpoint: 7),
            ],
            checkpoint: (9, "3"),
            runs: "2",
            back: 7,
            noted: ["rolled-back to 7, crash"],
            says: "rolled back"
        ),
        Case(
            name: "what was taken back stays so at later starts",
            events: [
                guarded, cut, .rolledBack(swap: 1, reason: "slow", checkpoint: 7, cause: .breach),
            ],
            jobFile: "2",
            checkpoint: (8, "1"),
            runs: "1",
            says: "was taken back by swap 1: slow"
        ),
        Case(
            name: "what a person took back may come by way of the job file",
            events: [
                guarded, cut, .rolledBack(swap: 1, reason: "", checkpoint: 7, cause: .request),
            ],
            jobFile: "2",
            checkpoint: (8, "1"),
            noted: ["adopted 2"],
            says: "the job file names the version that swap 1 of op had brought and that was taken "
                + "back: it runs"
        ),
        Case(
            name: "and its checkpoints are not left then",
            events: [
                guarded, cut, .rolledBack(swap: 1, reason: "", checkpoint: 7, cause: .request),
                .adopted(operator: "op", sha256: PluginVersion.sample("2").sha256),
            ],
            jobFile: "2",
            checkpoint: (12, "2")
        ),
        Case(
            name: "rolled back, and ended before there was a checkpoint of the old version",
            events: [
                guarded, cut, .rolledBack(swap: 1, reason: "slow", checkpoint: 7, cause: .breach),
            ],
            checkpoint: (9, "2"),
            back: 7,
            says: "swap 1 of op was rolled back to checkpoint 7: the job goes on from it"
        ),
        Case(
            name: "the same, and another operation had begun meanwhile",
            events: [
                guarded, cut, .rolledBack(swap: 1, reason: "slow", checkpoint: 7, cause: .request),
                .intent(.sample("1", "3")),
            ],
            checkpoint: (9, "2"),
            back: 7,
            noted: ["abandoned"],
            says: "swap 2 of op was under way, and nothing of it was done"
        ),
        Case(
            name: "rolled back forward in time: the old version reads what the new one wrote",
            events: [
                guarded, cutNowhere,
                .rolledBack(swap: 1, reason: "", checkpoint: nil, cause: .request),
            ],
            checkpoint: (9, "2")
        ),
        Case(
            name: "rolled back once, committed later: its checkpoints are good",
            events: [
                guarded, cut, .rolledBack(swap: 1, reason: "", checkpoint: 7, cause: .request),
                .intent(.sample("1", "2")), .committed(swap: 2),
            ],
            checkpoint: (12, "2"),
            runs: "2",
            says: "which has replaced"
        ),
    ]

    private static func text(_ event: SwapEntry.Event) -> String {
        switch event {
        case .rolledBack(_, _, let checkpoint, let cause, _):
            "rolled-back to \(checkpoint.map { "\($0)" } ?? "nil"), \(cause)"
        case .abandoned: "abandoned"
        case .committed: "committed"
        case .adopted(_, let sha256): "adopted \(sha256.prefix(1))"
        case .intent, .cut, .adoptedJobFile, .cutting, .swept, .released: "?"
        }
    }

    private static func situation(_ row: Case) throws -> SwapRecovery.Situation {
        SwapRecovery.Situation(
            history: try SwapHistory.numbered(row.events),
            jobFile: [
                "op": SwapRecovery.Named(
                    sha256: row.jobFile.map { PluginVersion.sample($0).sha256 }
                ),
                "other": SwapRecovery.Named(sha256: "f"),
            ],
            origin: row.origin,
            checkpoint: row.checkpoint.map(checkpoint),
            checkpoints: (row.older.filter { $0.number < row.checkpoint?.number ?? 0 }
                + (row.checkpoint.map { [$0] } ?? [])).map(checkpoint)
        )
    }

    private static func checkpoint(
        _ number: UInt64,
        _ version: Character
    ) -> SwapRecovery.Checkpoint {
        SwapRecovery.Checkpoint(
            number: number,
            plugins: ["op": PluginVersion.sample(version).sha256, "other": "f"]
        )
    }

    @Test("Each state of a journal has its way on", arguments: cases)
    func table(row: Case) throws {
        let found = try SwapRecovery(try Self.situation(row))
        #expect(found.versions == (row.runs.map { ["op": .sample($0)] } ?? [:]))
        #expect(found.checkpoint == row.back)
        // State of an older checkpoint is brought to what a swap has agreed to, no other.
        if let runs = row.runs { #expect(found.swapped == ["op"], "\(runs)") }
        if row.noted.contains("adopted 5") { #expect(found.swapped.isEmpty) }
        #expect(found.events.map(Self.text) == row.noted)
        #expect((found.note == nil) == (row.says == nil), "\(found.note ?? "")")
        if let says = row.says {
            #expect(found.note?.contains(says) == true, "\(found.note ?? "")")
        }
    }

    @Test("A start after the start decides the same, and has nothing to note", arguments: cases)
    func again(row: Case) throws {
        var situation = try Self.situation(row)
        let first = try SwapRecovery(situation)
        for event in first.events {
            try situation.history.add(SwapEntry(atMicroseconds: 0, event))
        }
        // It ended before it took a checkpoint: it goes back again.
        let second = try SwapRecovery(situation)
        #expect(second.versions == first.versions)
        if situation.origin == .newest { #expect(second.checkpoint == first.checkpoint) }
        #expect(second.events.isEmpty)
        // It has taken one.
        if let back = first.checkpoint {
            let runs = row.runs ?? row.jobFile ?? "1"
            situation.checkpoint = SwapRecovery.Checkpoint(
                number: back + 3,
                plugins: ["op": PluginVersion.sample(runs).sha256]
            )
        }
        let third = try SwapRecovery(situation)
        #expect(third.versions == first.versions)
        #expect(third.checkpoint == nil)
        #expect(third.events.isEmpty)
    }

    @Test("F21: a checkpoint of the version on probation is refused, and the way out is said")
    func checkpointOfProbation() throws {
        let row = Case(
            name: "",
            events: [Self.guarded, Self.cut],
            origin: .named,
            checkpoint: (9, "2")
        )
        let error = #expect(throws: SwapJournalError.self) {
            _ = try SwapRecovery(try Self.situation(row))
        }
        let text = error?.description ?? ""
        #expect(text.contains("--from: checkpoint 9 was written by a version on probation"))
        #expect(text.contains("goes back to checkpoint 7"))
    }

    @Test("A version on probation that has written all checkpoints cannot be taken back")
    func nothingLeft() throws {
        let row = Case(name: "", events: [Self.guarded, Self.cut], checkpoint: (9, "2"), older: [])
        let error = #expect(throws: SwapJournalError.self) {
            _ = try SwapRecovery(try Self.situation(row))
        }
        #expect(error?.description.contains("expected a checkpoint of the old version") == true)
    }

    @Test("A checkpoint of a version that was taken back is refused as well")
    func checkpointOfTakenBack() throws {
        let row = Case(
            name: "",
            events: [
                Self.guarded, Self.cut,
                .rolledBack(swap: 1, reason: "slow", checkpoint: 7, cause: .breach),
            ],
            origin: .named,
            checkpoint: (9, "2")
        )
        let error = #expect(throws: SwapJournalError.self) {
            _ = try SwapRecovery(try Self.situation(row))
        }
        let text = error?.description ?? ""
        #expect(text.contains("--from: checkpoint 9 was written by a version that was taken back"))
    }

    @Test("I2: a checkpoint with state of both sides is refused")
    func mixed() throws {
        let intent = SwapIntent.sample("1", "2", operators: ["op", "more"], guarded: false)
        let situation = SwapRecovery.Situation(
            history: try SwapHistory.numbered([.intent(intent), Self.cutNowhere]),
            jobFile: [:],
            origin: .newest,
            checkpoint: SwapRecovery.Checkpoint(
                number: 9,
                plugins: [
                    "op": PluginVersion.sample("1").sha256,
                    "more": PluginVersion.sample("2").sha256,
                ]
            )
        )
        let error = #expect(throws: SwapJournalError.self) { _ = try SwapRecovery(situation) }
        #expect(error?.description.contains("state of both sides of swap 1 of op, more") == true)
    }

    @Test("A rescale that is in a checkpoint stays, when the command still has the old number")
    func rescale() throws {
        var intent = SwapIntent(.rescale)
        intent.parallelism = SwapIntent.Parallelism(from: 2, to: 4)
        let open = try SwapHistory.numbered([.intent(intent), Self.cut])
        let expected: [(had: Int, given: Int, parallelism: Int?, noted: String)] = [
            (2, 2, nil, "rolled-back to 8, other"), (4, 2, 4, "committed"),
            (4, 3, nil, "committed"),
        ]
        for row in expected {
            let found = try SwapRecovery(
                SwapRecovery.Situation(
                    history: open,
                    jobFile: [:],
                    origin: .newest,
                    checkpoint: SwapRecovery.Checkpoint(
                        number: 8,
                        plugins: [:],
                        parallelism: row.had
                    ),
                    parallelism: row.given
                )
            )
            #expect(found.parallelism == row.parallelism)
            #expect(found.events.map(Self.text) == [row.noted])
        }
    }
}
