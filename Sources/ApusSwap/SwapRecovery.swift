package import ApusCheckpoint

/// What a job's start makes of its swap journal: which version each operator runs with, from which
/// checkpoint the job goes on, and what is noted of it.
///
/// Pure: looks at values, touches nothing.  What it rests on: a checkpoint after the cut of a
/// guarded operation has delivered nothing, so the job may go back behind it; a checkpoint tells
/// which version wrote its state.
///
/// - Guarded, with a cut behind checkpoint C: the job goes on with the old versions, from the
///   newest checkpoint that they wrote, up to C.
/// - Rolled back to checkpoint B, and the newest one is still of the version that was taken back:
///   from B.
/// - Under way otherwise: with the versions that wrote the checkpoint.  If those are the new ones,
///   it counts as committed, else as not made.
/// - Committed, and the job file names a version that was replaced: with the new one, whichever
///   version wrote the checkpoint.
/// - Committed, and the job file names a third version: with that; from then on it counts.  The
///   same with any version, when the user says so.
package struct SwapRecovery: Equatable, Sendable {
    /// Where the job would go on without a journal.
    package enum Origin: Equatable, Sendable {
        /// The newest checkpoint, or the beginning when there is none.
        case newest
        /// The beginning, wished for: earlier checkpoints are given up.
        case beginning
        /// A checkpoint or a savepoint that the user names.
        case named
    }

    /// A checkpoint, as far as this matters.
    package struct Checkpoint: Equatable, Sendable {
        /// Its number.
        package var number: UInt64
        /// The hash of the plugin that each operator had, by the operator's id.
        package var plugins: [String: String]
        /// The number of subtasks of keyed operators.
        package var parallelism: Int

        /// Creates a description.
        package init(number: UInt64, plugins: [String: String], parallelism: Int = 1) {
            self.number = number
            self.plugins = plugins
            self.parallelism = parallelism
        }

        /// All checkpoints of a folder that are whole and part of the job's history, oldest first.
        ///
        /// - Throws: ``CheckpointError`` when the disk refuses to read.
        package static func all(
            in folder: CheckpointFolder
        ) throws(CheckpointError) -> [Checkpoint] {
            var found: [Checkpoint] = []
            for listed in try folder.list() where listed.isComplete && !listed.isAbandoned {
                found.append(Checkpoint(try folder.manifest(listed.number)))
            }
            return found
        }

        /// What a manifest says.
        package init(_ manifest: Manifest) {
            number = manifest.number
            parallelism = manifest.parallelism
            plugins = [:]
            for state in manifest.operators { plugins[state.id] = state.plugin?.contentHash }
        }
    }

    /// A plugin as the job file names it.
    package struct Named: Equatable, Sendable {
        /// The hash of the file's content; nil when the file cannot be read.
        package var sha256: String?
        /// The component; nil for the only one.
        package var component: String?

        /// Creates a description.
        package init(sha256: String?, component: String? = nil) {
            self.sha256 = sha256
            self.component = component
        }
    }

    /// What a start finds.
    package struct Situation: Equatable, Sendable {
        /// What the journal says.
        package var history: SwapHistory
        /// The plugins that the job file names, by operator.
        package var jobFile: [String: Named]
        /// Where the job would go on.
        package var origin: Origin
        /// The checkpoint that this is; nil for none.
        package var checkpoint: Checkpoint?
        /// All checkpoints that the job could go on from, oldest first.
        package var checkpoints: [Checkpoint]
        /// The number of subtasks that the job would have.
        package var parallelism: Int?
        /// The job file that the job is started with; nil when nobody asks which one counts.
        package var given: SwapIntent.JobFile?
        /// Whether the user wants what the job file names, whatever has replaced it.
        package var forgetsSwaps = false

        /// Creates a situation.
        package init(
            history: SwapHistory,
            jobFile: [String: Named],
            origin: Origin,
            checkpoint: Checkpoint?,
            checkpoints: [Checkpoint] = [],
            parallelism: Int? = nil,
            given: SwapIntent.JobFile? = nil
        ) {
            self.history = history
            self.jobFile = jobFile
            self.origin = origin
            self.checkpoint = checkpoint
            self.checkpoints = checkpoints
            self.parallelism = parallelism
            self.given = given
        }
    }

    /// The job file to run in the place of the given one; nil when that one counts.
    ///
    /// Everything else is to be decided anew with it.
    package private(set) var jobFile: SwapIntent.JobFile?
    /// Why, in a sentence without a full stop; nil without ``jobFile``.
    package private(set) var jobFileNote: String?
    /// The versions of operators that run with another file than the job file names, by operator;
    /// their files are in the ``SwapStore``.
    package private(set) var versions: [String: PluginVersion] = [:]
    /// The operators whose version was brought by a swap that is committed: what that has dropped
    /// of an older checkpoint's state was agreed to then.
    package private(set) var swapped: Set<String> = []
    /// The checkpoint of this folder to go on from; nil for where the job would go on anyway.
    package private(set) var checkpoint: UInt64?
    /// The number of subtasks; nil for what the job would have.
    package private(set) var parallelism: Int?
    /// What is to be noted in the journal, once the checkpoint folder is locked.
    package private(set) var events: [SwapEntry.Event] = []
    /// Why, in a sentence without a full stop; nil when there is nothing to say.
    package private(set) var note: String?

    /// Decides.
    ///
    /// - Throws: ``SwapJournalError`` when the user names a checkpoint that no version that is in
    ///   force can go on from.
    package init(_ situation: Situation) throws(SwapJournalError) {
        var notes: [String] = []
        var history = situation.history
        var situation = situation
        if let note = try leave(&situation) { notes.append(note) }
        if let open = history.open {
            notes.append(try end(open, situation))
            for event in events { try history.add(SwapEntry(atMicroseconds: 0, event)) }
        }
        let choice = chooseJobFile(situation.given, history, situation.forgetsSwaps)
        if jobFile == nil { notes += choice.map { [$0] } ?? [] } else { jobFileNote = choice }
        for (id, named) in situation.jobFile.sorted(by: { $0.key < $1.key }) {
            if let note = choose(id, named, history, situation) { notes.append(note) }
            let current = history.lines[id]?.current
            let isCurrent = versions[id] != nil || current?.sha256 == named.sha256
            if current != nil, isCurrent { swapped.insert(id) }
        }
        if let now = situation.parallelism, history.replacedParallelisms.contains(now),
            let later = history.parallelism
        {
            parallelism = later
            notes.append("the job was rescaled from \(now) to \(later) subtasks: it has \(later)")
        }
        note = notes.isEmpty ? nil : notes.joined(separator: "; ")
    }

    // MARK: - An operation that was rolled back

    /// Leaves the checkpoints of a version that was taken back, when the job has not had one of its
    /// own since; returns why.
    private mutating func leave(
        _ situation: inout Situation
    ) throws(SwapJournalError) -> String? {
        guard let found = situation.checkpoint,
            let swap = situation.history.swaps.last(where: {
                Self.writer(of: found, $0) == .new || found.number <= $0.lastTakenBack ?? 0
            }),
            case .rolledBack(_, let back?, _) = swap.outcome, !swap.isSuperseded,
            found.number > back
        else { return nil }
        guard situation.origin != .named else {
            throw SwapJournalError(
                .otherVersion,
                "--from: checkpoint \(found.number) was written by a version that was taken back "
                    + "(\(swap.intent.text)); expected --from latest, which goes back to "
                    + "checkpoint \(back), or one that is not newer than that"
            )
        }
        checkpoint = back
        // Of what the old versions have written nobody asks any more.
        situation.checkpoint?.number = back
        for change in swap.intent.operators {
            situation.checkpoint?.plugins[change.id] = change.from.sha256
        }
        if let change = swap.intent.parallelism {
            situation.checkpoint?.parallelism = change.from
        }
        return "\(swap.intent.text) was rolled back to checkpoint \(back): the job goes on from it"
    }

    // MARK: - The operation that was under way

    private enum Writer {
        case old
        case new
        case mixed
    }

    /// Decides what becomes of an operation that no process is at any longer; returns why.
    private mutating func end(
        _ open: SwapHistory.Swap,
        _ situation: Situation
    ) throws(SwapJournalError) -> String {
        let found = situation.checkpoint
        if open.intent.guard != nil, open.intent.cut == .barrier || open.checkpoint != nil,
            open.cut != nil || open.isCutting || Self.writer(of: found, open) != .old
        {
            return try rewind(open, situation)
        }
        switch Self.writer(of: found, open) {
        case .mixed:
            throw SwapJournalError(
                .damaged,
                "checkpoint \(found?.number ?? 0) has state of both sides of \(open.intent.text), "
                    + "which is under way; expected state of one side; go on from an earlier one "
                    + "with --from N"
            )
        case .new:
            if open.intent.guard != nil, open.intent.operators.allSatisfy(\.isCodeOnly) {
                return giveBack(open, found?.number)
            }
            events.append(.committed(swap: open.intent.swap))
            let rest = open.intent.guard == nil ? "" : ", though its probation was not over"
            return "\(open.intent.text) was made before checkpoint \(found?.number ?? 0), which "
                + "the new version wrote: it stays\(rest)"
        case .old:
            guard open.cut != nil || open.isCutting else {
                let reason = "the process ended before the cut"
                events.append(.abandoned(swap: open.intent.swap, reason: reason))
                return "\(open.intent.text) was under way, and nothing of it was done: the old "
                    + "version runs"
            }
            return giveBack(open, found?.number)
        }
    }

    /// Back behind the cut of a guarded operation: nothing was delivered since.
    private mutating func rewind(
        _ open: SwapHistory.Swap,
        _ situation: Situation
    ) throws(SwapJournalError) -> String {
        // Nothing after the cut is on the disk, or the job has gone back already.
        guard let found = situation.checkpoint, Self.writer(of: found, open) != .old else {
            return giveBack(open, situation.checkpoint?.number)
        }
        let limit = open.checkpoint ?? .max
        let back = situation.checkpoints.last {
            $0.number <= limit && $0.number < found.number && Self.writer(of: $0, open) == .old
        }
        let way = back.map { "--from latest, which goes back to checkpoint \($0.number)" }
        if situation.origin == .named {
            throw SwapJournalError(
                .otherVersion,
                "--from: checkpoint \(found.number) was written by a version on probation "
                    + "(\(open.intent.text)), which is taken back; expected "
                    + (way ?? "--from new") + ", or a checkpoint of the old version"
            )
        }
        guard let back else {
            throw SwapJournalError(
                .otherVersion,
                "checkpoint \(found.number) was written by a version on probation "
                    + "(\(open.intent.text)), which is taken back; expected a checkpoint of the "
                    + "old version to go back to, and there is none; put it back from a copy of "
                    + "the folder, or begin anew with --from new"
            )
        }
        checkpoint = back.number
        return giveBack(open, back.number, situation.checkpoints.last?.number)
    }

    private mutating func giveBack(
        _ open: SwapHistory.Swap,
        _ number: UInt64?,
        _ last: UInt64? = nil
    ) -> String {
        let isGuarded = open.intent.guard != nil
        let place = number.map { "checkpoint \($0)" } ?? "the beginning"
        events.append(
            .rolledBack(
                swap: open.intent.swap,
                reason: isGuarded
                    ? "the process ended during the probation"
                    : "the process ended before the swap was in a checkpoint",
                checkpoint: number,
                cause: isGuarded ? .crash : .other,
                last: open.intent.jobFile == nil ? nil : last
            )
        )
        return isGuarded
            ? "\(open.intent.text) was on probation when the process ended: rolled back, the old "
                + "version runs from \(place)"
            : "\(open.intent.text) was not in a checkpoint yet when the process ended: the old "
                + "version runs from \(place)"
    }

    /// Which side of an operation has written a checkpoint.
    private static func writer(of checkpoint: Checkpoint?, _ open: SwapHistory.Swap) -> Writer {
        guard let checkpoint else { return .old }
        guard !open.intent.operators.isEmpty else {
            if let change = open.intent.parallelism, change.from != change.to {
                return checkpoint.parallelism == change.to ? .new : .old
            }
            // The checkpoint behind which it was made is the old side's last.
            guard open.outcome == .open, open.cut != nil, let cut = open.checkpoint else {
                return .old
            }
            return checkpoint.number > cut ? .new : .old
        }
        let newCount = open.intent.operators.count { change in
            change.from.sha256 != change.to.sha256
                && checkpoint.plugins[change.id] == change.to.sha256
        }
        if newCount == 0 { return .old }
        let differing = open.intent.operators.count { $0.from.sha256 != $0.to.sha256 }
        return newCount == differing ? .new : .mixed
    }

    // MARK: - The job file

    /// Chooses between the job file that the job is started with and the journal's; returns why, if
    /// that matters.
    private mutating func chooseJobFile(
        _ given: SwapIntent.JobFile?,
        _ history: SwapHistory,
        _ forgetsSwaps: Bool
    ) -> String? {
        guard let given, let current = history.jobFile, given.sha256 != current.sha256 else {
            return nil
        }
        guard history.replacedJobFiles.contains(given.sha256), !forgetsSwaps else {
            events.append(.adoptedJobFile(given))
            return "the job is started with another job file (\(given.text)) than the one "
                + "that upgrades have left (\(current.text)): it "
                + "counts from now on"
        }
        jobFile = current
        let last = history.swaps.last { $0.intent.jobFile != nil }
        if case .rolledBack(let reason, _, _) = last?.outcome,
            last?.intent.jobFile?.to.sha256 == given.sha256
        {
            return "the content of the job file was taken back (\(reason)): the job runs the one "
                + "before, \(current.text); to try it again, "
                + "upgrade the running job"
        }
        return "the job was upgraded: it runs \(current.text) "
            + "instead of the job file that it is started with"
    }

    // MARK: - The version of an operator

    /// Chooses between the job file's version and the journal's; returns why, if that matters.
    private mutating func choose(
        _ id: String,
        _ named: Named,
        _ history: SwapHistory,
        _ situation: Situation
    ) -> String? {
        guard let line = history.lines[id], let current = line.current else {
            return adoptTakenBack(id, named, history)
        }
        guard let sha256 = named.sha256 else {
            versions[id] = current
            return "operator '\(id)': the plugin that the job file names is not there: "
                + "\(current.text) runs, which swaps have brought"
        }
        if sha256 == current.sha256 {
            guard let component = named.component, component != current.component else {
                return nil
            }
            versions[id] = current
            return "operator '\(id)': component \(current.component) runs, which a swap has brought"
        }
        if line.replaced.contains(sha256), !situation.forgetsSwaps {
            versions[id] = current
            let migrated =
                situation.checkpoint.flatMap { $0.plugins[id] }.map { $0 != current.sha256 }
                ?? false
            return "operator '\(id)': \(current.text) runs, which has replaced the version that "
                + "the job file names"
                + (migrated ? "; what an older version wrote is migrated" : "")
        }
        if let quarantine = history.quarantine(of: sha256), !situation.forgetsSwaps {
            versions[id] = current
            return "operator '\(id)': \(current.text) runs, because the version that the job file "
                + "names was taken back by swap \(quarantine.swap): \(quarantine.reason)"
        }
        events.append(.adopted(operator: id, sha256: sha256))
        return "operator '\(id)': the job file names another version (\(sha256.prefix(12))) than "
            + "the last swap has brought (\(current.text)): the job file's runs"
    }

    /// Notes that the job file names a version that a person had taken back; returns that.
    private mutating func adoptTakenBack(
        _ id: String,
        _ named: Named,
        _ history: SwapHistory
    ) -> String? {
        guard let sha256 = named.sha256,
            let swap = history.swaps.last(where: { $0.brings(sha256, to: id) }),
            case .rolledBack = swap.outcome, !swap.isSuperseded
        else { return nil }
        events.append(.adopted(operator: id, sha256: sha256))
        return "operator '\(id)': the job file names the version that \(swap.intent.text) had "
            + "brought and that was taken back: it runs"
    }
}
