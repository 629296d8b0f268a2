package import ApusCheckpoint

/// What a job's swap journal says, all together.
///
/// Pure: made of entries, touches nothing.
package struct SwapHistory: Equatable, Sendable {
    /// Where an operation has come to.
    package enum Outcome: Equatable, Sendable {
        /// It is under way.
        case open
        /// The new versions stay.
        case committed
        /// The old versions are in force again, from a checkpoint if the job went back to one.
        case rolledBack(reason: String, checkpoint: UInt64?, cause: SwapEntry.Cause)
        /// It ended before the cut.
        case abandoned(reason: String)

        /// "open", "committed", "rolled-back" or "abandoned".
        package var name: String {
            switch self {
            case .open: "open"
            case .committed: "committed"
            case .rolledBack: "rolled-back"
            case .abandoned: "abandoned"
            }
        }
    }

    /// The cut of an operation.
    package struct Cut: Equatable, Sendable {
        /// When, in microseconds since 1970.
        package var atMicroseconds: Int64
        /// The checkpoint that it lies behind; nil when it lies behind none.
        package var checkpoint: UInt64?
    }

    /// An operation.
    package struct Swap: Equatable, Sendable {
        /// What it was to change.
        package var intent: SwapIntent
        /// When it began, in microseconds since 1970.
        package var atMicroseconds: Int64
        /// Whether the versions were about to come into force, at least.
        package var isCutting = false
        /// Its cut; nil when it did not come to that.
        package var cut: Cut?
        /// Where it has come to.
        package var outcome = Outcome.open
        /// When it ended, in microseconds since 1970; nil while it is under way.
        package var endedAtMicroseconds: Int64?
        /// Whether no row is left that the old versions have written.
        package var isSwept = false
        /// Whether the job file has brought one of its versions since, so that newer checkpoints of
        /// that version are none of this operation's.
        package var isSuperseded = false
        /// Why it was committed before the probation was over; nil when it was not.
        package var commitReason: String?
        /// The last checkpoint of a graph that was taken back; nil for none.
        package var lastTakenBack: UInt64?

        /// The checkpoint to go back to; nil when it is not known.
        package var checkpoint: UInt64? { cut?.checkpoint ?? intent.checkpoint }

        /// Whether it was to bring a file to an operator.
        package func brings(_ sha256: String, to id: String) -> Bool {
            intent.operators.contains { $0.id == id && $0.to.sha256 == sha256 }
        }
    }

    /// The versions that an operator had.
    package struct Line: Equatable, Sendable {
        /// The one that counts now; nil when the job file's own does.
        package var current: PluginVersion?
        /// The hashes of those that it has replaced: a job file that names one means the current.
        package var replaced: Set<String> = []
    }

    /// A version that was taken back, and is not to be tried again by mistake.
    package struct Quarantine: Equatable, Sendable {
        /// The hash of its file.
        package var sha256: String
        /// The operation that had brought it.
        package var swap: Int
        /// Why it was taken back.
        package var reason: String
    }

    /// All operations, in their order.
    package private(set) var swaps: [Swap] = []
    /// The versions of operators that were ever swapped, by id.
    package private(set) var lines: [String: Line] = [:]
    /// The versions that were taken back because of a breach or a crash.
    package private(set) var quarantined: [Quarantine] = []
    /// The number of subtasks that a rescale has brought; nil when there was none.
    package private(set) var parallelism: Int?
    /// The numbers of subtasks that it has replaced.
    package private(set) var replacedParallelisms: Set<Int> = []
    /// The job file that counts; nil when there was no upgrade.
    package private(set) var jobFile: SwapIntent.JobFile?
    /// The hashes of those that do not count any more: a start with one means ``jobFile``.
    package private(set) var replacedJobFiles: Set<String> = []

    /// Creates the history of a job that was never swapped.
    package init() {}

    /// Reads entries.
    ///
    /// - Throws: ``SwapJournalError`` when one does not follow from those before it.
    package init(_ entries: [SwapEntry]) throws(SwapJournalError) {
        for entry in entries { try add(entry) }
    }

    // MARK: - Questions

    /// The operation that is under way; nil when none is.
    package var open: Swap? { swaps.last.flatMap { $0.outcome == .open ? $0 : nil } }

    /// The number that the next operation gets.
    package var nextNumber: Int { (swaps.last?.intent.swap ?? 0) + 1 }

    /// The version that counts for an operator; nil when that is the one that the job file names.
    package func currentVersion(of id: String) -> PluginVersion? { lines[id]?.current }

    /// Why a version is not to be tried; nil when it may be.
    package func quarantine(of sha256: String) -> Quarantine? {
        quarantined.last { $0.sha256 == sha256 }
    }

    /// Why an operation may not begin; nil when it may.
    package func problem(beginning intent: SwapIntent) -> SwapJournalError? {
        if let open {
            return SwapJournalError(
                .underWay,
                open.intent.guard == nil
                    ? "\(open.intent.text) is under way; expected none: try again when it is done"
                    : "\(open.intent.text) is under way\(open.cut == nil ? "" : ", on probation"); "
                        + "expected none: see `apus swap status`, and end it with `apus swap "
                        + "commit` or `apus swap rollback`"
            )
        }
        for change in intent.operators {
            if let found = quarantine(of: change.to.sha256) {
                return SwapJournalError(
                    .quarantined,
                    "operator '\(change.id)': \(change.to.text) was taken back by swap "
                        + "\(found.swap): \(found.reason); expected a version that was not: build "
                        + "one that is mended"
                )
            }
            if change.from.isSame(as: change.to) {
                return SwapJournalError(
                    .alreadyInForce,
                    "operator '\(change.id)': \(change.to.text) is in force already"
                )
            }
        }
        return nil
    }

    /// The hashes of the job files that must stay.
    package var neededJobFiles: Set<String> {
        var needed: Set<String> = []
        if let jobFile { needed.insert(jobFile.sha256) }
        if let change = open?.intent.jobFile {
            needed.formUnion([change.from.sha256, change.to.sha256])
        }
        return needed
    }

    /// The hashes of the plugin files that must stay.
    ///
    /// - Parameter manifests: Of the checkpoints that are retained.
    /// - Returns: Those that a checkpoint, the operation under way, or the next start needs.
    package func neededPlugins(for manifests: [Manifest]) -> Set<String> {
        var needed = Set(lines.values.compactMap(\.current?.sha256))
        for change in open?.intent.operators ?? [] {
            needed.insert(change.from.sha256)
            needed.insert(change.to.sha256)
        }
        for manifest in manifests {
            needed.formUnion(manifest.operators.compactMap(\.plugin?.contentHash))
        }
        return needed
    }

    // MARK: - Entries

    /// Takes an entry in.
    ///
    /// - Throws: ``SwapJournalError`` when it does not follow from those before it; nothing has
    ///   changed then.
    package mutating func add(_ entry: SwapEntry) throws(SwapJournalError) {
        switch entry.event {
        case .intent(let intent): try begin(intent, entry.atMicroseconds)
        case .cutting(let number): swaps[try openIndex(number, "a cut")].isCutting = true
        case .cut(let number, let checkpoint):
            let index = try openIndex(number, "a cut")
            guard swaps[index].cut == nil else {
                throw SwapJournalError(.notUnderWay, "swap \(number) has had its cut already")
            }
            swaps[index].cut = Cut(atMicroseconds: entry.atMicroseconds, checkpoint: checkpoint)
        case .committed(let number, let reason):
            let index = try openIndex(number, "a commit")
            swaps[index].commitReason = reason
            end(index, .committed, entry)
            noteCommit(swaps[index].intent)
        case .rolledBack(let number, let reason, let checkpoint, let cause, let last):
            let index = try openIndex(number, "a rollback")
            swaps[index].lastTakenBack = last
            end(index, .rolledBack(reason: reason, checkpoint: checkpoint, cause: cause), entry)
            noteReturn(swaps[index].intent, reason, cause)
        case .abandoned(let number, let reason):
            let index = try openIndex(number, "its end")
            end(index, .abandoned(reason: reason), entry)
        case .swept(let number):
            guard let index = swaps.firstIndex(where: { $0.intent.swap == number }) else {
                throw SwapJournalError(.notUnderWay, "there is no swap \(number) to be swept")
            }
            swaps[index].isSwept = true
        case .adopted(let id, let sha256):
            lines[id] = nil
            for index in swaps.indices where swaps[index].brings(sha256, to: id) {
                swaps[index].isSuperseded = true
            }
        case .adoptedJobFile(let file): replace(jobFile ?? file, by: file)
        case .released(let sha256): quarantined.removeAll { $0.sha256 == sha256 }
        }
    }

    private mutating func begin(_ intent: SwapIntent, _ now: Int64) throws(SwapJournalError) {
        if let open {
            throw SwapJournalError(
                .underWay,
                "\(intent.text) begins while \(open.intent.text) is under way"
            )
        }
        guard intent.swap == nextNumber else {
            throw SwapJournalError(
                .notUnderWay,
                "an operation has the number \(intent.swap); expected \(nextNumber)"
            )
        }
        swaps.append(Swap(intent: intent, atMicroseconds: now))
    }

    private func openIndex(_ number: Int, _ what: String) throws(SwapJournalError) -> Int {
        guard let open, open.intent.swap == number else {
            let found = open.map { "\($0.intent.text) is" } ?? "none is"
            throw SwapJournalError(
                .notUnderWay,
                "\(what) of swap \(number), which is not under way; \(found)"
            )
        }
        return swaps.count - 1
    }

    private mutating func end(_ index: Int, _ outcome: Outcome, _ entry: SwapEntry) {
        swaps[index].outcome = outcome
        swaps[index].endedAtMicroseconds = entry.atMicroseconds
    }

    private mutating func noteCommit(_ intent: SwapIntent) {
        for change in intent.operators {
            var line = lines[change.id] ?? Line()
            line.replaced.insert(change.from.sha256)
            line.replaced.remove(change.to.sha256)
            line.current = change.to
            lines[change.id] = line
        }
        if let change = intent.parallelism {
            replacedParallelisms.insert(change.from)
            replacedParallelisms.remove(change.to)
            parallelism = change.to
        }
        if let change = intent.jobFile { replace(change.from, by: change.to) }
    }

    private mutating func replace(_ old: SwapIntent.JobFile, by new: SwapIntent.JobFile) {
        replacedJobFiles.insert(old.sha256)
        replacedJobFiles.remove(new.sha256)
        jobFile = new
    }

    /// The file that the job file names may have been overwritten with the version that was taken
    /// back: the old one counts, then, and is in the store.
    private mutating func noteReturn(
        _ intent: SwapIntent,
        _ reason: String,
        _ cause: SwapEntry.Cause
    ) {
        // The file was changed in place, as a rule, whoever has taken it back.
        if let change = intent.jobFile { replace(change.to, by: change.from) }
        guard cause.quarantines else { return }
        for change in intent.operators {
            lines[change.id, default: Line()].current = change.from
            quarantined.append(
                Quarantine(sha256: change.to.sha256, swap: intent.swap, reason: reason)
            )
        }
    }
}
