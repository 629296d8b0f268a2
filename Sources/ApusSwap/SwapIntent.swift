/// What an operation on a running job is going to change, noted before anything of it is done.
package struct SwapIntent: Codable, Equatable, Sendable {
    /// What kind of operation it is; only one of any kind is under way at a time.
    package enum Kind: String, Codable, Sendable {
        /// Operators get other versions.
        case swap
        /// Operators get another number of subtasks.
        case rescale
        /// The job gets another job file.
        case upgrade
        /// Keys are removed.
        case purge
    }

    /// When the operators switch.
    package enum Cut: String, Codable, Sendable {
        /// Each subtask at its next pass.
        case boundary
        /// All operators behind one checkpoint barrier.
        case barrier
    }

    /// An operator that gets another version.
    package struct Operator: Codable, Equatable, Sendable {
        /// Its id in the job.
        package var id: String
        /// The version that runs.
        package var from: PluginVersion
        /// The version that takes over.
        package var to: PluginVersion
        /// Whether nothing but the code changes, so that either version reads what the other wrote.
        package var isCodeOnly: Bool

        /// Creates a change.
        package init(id: String, from: PluginVersion, to: PluginVersion, isCodeOnly: Bool) {
            self.id = id
            self.from = from
            self.to = to
            self.isCodeOnly = isCodeOnly
        }
    }

    /// What a version has to bear until the operation is committed.
    package struct Guard: Codable, Equatable, Sendable {
        /// What becomes of a value that the new version cannot read.
        package enum BadValue: String, Codable, Sendable {
            /// Its key waits.
            case hold
            /// It goes to the dead letters.
            case deadLetter = "dead-letter"
            /// The operation is rolled back.
            case rollBack = "roll-back"
        }

        /// How long it lasts, in microseconds.
        package var durationMicroseconds: Int64
        /// The most refused records, as a part of all: 0.01 is one in a hundred; nil for any.
        package var maxErrorRate: Double?
        /// The longest that 99 of 100 calls may take, in microseconds; nil for any time.
        package var maxP99Microseconds: Int64?
        /// How far counters of the plugin may rise, by their names.
        package var maxCounters: [String: UInt64]
        /// What becomes of values that cannot be read; nil when nobody said.
        package var onBadValue: BadValue?

        /// Creates a guard that only lasts.
        package init(durationMicroseconds: Int64) {
            self.durationMicroseconds = durationMicroseconds
            maxCounters = [:]
        }
    }

    /// A change of the number of subtasks.
    package struct Parallelism: Codable, Equatable, Sendable {
        /// The number before.
        package var from: Int
        /// The number after.
        package var to: Int

        /// Creates a change.
        package init(from: Int, to: Int) {
            self.from = from
            self.to = to
        }
    }

    /// A job file, told by its content.
    package struct JobFile: Codable, Equatable, Sendable {
        /// SHA-256 of its content, in hexadecimal.
        package var sha256: String
        /// Where it is, or was; what it names by relative paths lies beside it.
        package var path: String

        /// Creates a description.
        package init(sha256: String, path: String) {
            self.sha256 = sha256
            self.path = path
        }

        /// `/jobs/tickets.yaml (27c3b5bcb6f2)`.
        package var text: String { "\(path) (\(sha256.prefix(12)))" }
    }

    /// A change of the job file.
    package struct JobFileChange: Codable, Equatable, Sendable {
        /// The file that the job runs.
        package var from: JobFile
        /// The file that takes over.
        package var to: JobFile

        /// Creates a change.
        package init(from: JobFile, to: JobFile) {
            self.from = from
            self.to = to
        }
    }

    /// The number of the operation in the job's life, from 1; given by the journal.
    package internal(set) var swap = 0
    /// What kind of operation it is.
    package var kind: Kind
    /// The operators that get other versions.
    package var operators: [Operator]
    /// The limits of the probation; nil when it is committed with the cut.
    package var `guard`: Guard?
    /// When the operators switch; nil for operations that have no such choice.
    package var cut: Cut?
    /// The checkpoint to go back to, if it is known beforehand.
    package var checkpoint: UInt64?
    /// The number of subtasks before and after; nil when it stays.
    package var parallelism: Parallelism?
    /// The job file before and after; nil when it stays.
    package var jobFile: JobFileChange?
    /// What else a person should see of it in the history; nil for nothing.
    package var remark: String?

    /// Creates an intent.
    package init(_ kind: Kind, operators: [Operator] = [], cut: Cut? = nil) {
        self.kind = kind
        self.operators = operators
        self.cut = cut
    }

    /// What it is, in a few words: `swap 3 of fraud, limits`.
    package var text: String {
        var text = "\(kind.rawValue) \(swap)"
        if !operators.isEmpty { text += " of \(operators.map(\.id).joined(separator: ", "))" }
        if let parallelism { text += " from \(parallelism.from) to \(parallelism.to) subtasks" }
        return text
    }
}

extension SwapIntent {
    /// Why an operation may not begin because of the versions that run; nil when it may.
    ///
    /// Compares and swaps: who has prepared a swap from one version does not get it done from
    /// another, and a swap that was made already is not made again.
    ///
    /// - Parameters:
    ///   - running: The versions that run now, by operator.
    ///   - expected: The beginning of the hash that the user expects to be replaced; nil for any.
    /// - Returns: What is running that was not expected, and what to do.
    package func problem(
        running: [String: PluginVersion],
        expected: String? = nil
    ) -> SwapJournalError? {
        for change in operators {
            guard let found = running[change.id] else {
                return SwapJournalError(
                    .otherVersion,
                    "operator '\(change.id)': the running job has no version of it to replace"
                )
            }
            if found.isSame(as: change.to) {
                return SwapJournalError(
                    .alreadyInForce,
                    "operator '\(change.id)': \(change.to.text) is in force already"
                )
            }
            let isExpected = expected.map { found.sha256.hasPrefix($0) } ?? true
            guard isExpected, found.isSame(as: change.from) else {
                let wanted = isExpected ? change.from.text : "a file \(expected ?? "")..."
                return SwapJournalError(
                    .otherVersion,
                    "operator '\(change.id)': expected that \(wanted) runs, and \(found.text) "
                        + "does; look at what has changed with `apus swap history`, and plan the "
                        + "swap anew"
                )
            }
        }
        return nil
    }
}
