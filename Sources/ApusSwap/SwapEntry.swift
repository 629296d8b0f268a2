/// A line of a job's swap journal: something that was decided, and when.
package struct SwapEntry: Codable, Equatable, Sendable {
    /// Why a version was taken back.
    package enum Cause: String, Codable, Sendable {
        /// It broke a limit of its guard.
        case breach
        /// The process ended while it was on trial.
        case crash
        /// A person wished so.
        case request
        /// Anything that is no fault of the version.
        case other

        /// Whether the file is not to be tried again by mistake.
        package var quarantines: Bool { self == .breach || self == .crash }
    }

    /// What was decided.
    package enum Event: Equatable, Sendable {
        /// An operation begins; nothing of it is done.
        case intent(SwapIntent)
        /// The new versions are about to come into force: what happens from here on may be their
        /// fault.
        case cutting(swap: Int)
        /// The new versions are in force from here on, behind a checkpoint if there is one.
        case cut(swap: Int, checkpoint: UInt64?)
        /// The new versions stay; why, when nobody has waited for the end of the probation.
        case committed(swap: Int, reason: String? = nil)
        /// The old versions are in force again, from a checkpoint if the job went back to one.
        ///
        /// For an upgrade, those after it and up to `last` are of the graph that was taken back.
        case rolledBack(
            swap: Int,
            reason: String,
            checkpoint: UInt64?,
            cause: Cause,
            last: UInt64? = nil
        )
        /// It ended before the cut; the old versions never stopped.
        case abandoned(swap: Int, reason: String)
        /// No row is left that the old versions have written.
        case swept(swap: Int)
        /// The job file names a version that no swap has brought: from here on that one counts.
        case adopted(operator: String, sha256: String)
        /// The job is started with a job file that no upgrade has brought: it counts.
        case adoptedJobFile(SwapIntent.JobFile)
        /// A person allows a version again that was taken back.
        case released(sha256: String)

        /// Whether it is about what a job file has brought.
        package var isAdoption: Bool {
            switch self {
            case .adopted, .adoptedJobFile: true
            case .intent, .cutting, .cut, .committed, .rolledBack, .abandoned, .swept, .released:
                false
            }
        }
    }

    /// When, in microseconds since 1970.
    package var atMicroseconds: Int64
    /// What was decided.
    package var event: Event

    /// Creates an entry.
    package init(atMicroseconds: Int64, _ event: Event) {
        self.atMicroseconds = atMicroseconds
        self.event = event
    }
}

// One flat object per entry, so that a person and jq can read it.
extension SwapEntry {
    private enum Key: String, CodingKey {
        case at, entry, swap, reason, checkpoint, cause, last, sha256, intent, path
        case `operator`
    }

    private enum Name: String, Codable {
        case intent, cutting, cut, committed, abandoned, swept, adopted, released
        case rolledBack = "rolled-back"
        case adoptedJobFile = "adopted-job-file"
    }

    // doc: inherited
    package init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        atMicroseconds = try object.decode(Int64.self, forKey: .at)
        func swap() throws -> Int { try object.decode(Int.self, forKey: .swap) }
        func reason() throws -> String { try object.decode(String.self, forKey: .reason) }
        func checkpoint() throws -> UInt64? {
            try object.decodeIfPresent(UInt64.self, forKey: .checkpoint)
        }
        func sha256() throws -> String { try object.decode(String.self, forKey: .sha256) }
        event =
            switch try object.decode(Name.self, forKey: .entry) {
            case .intent: .intent(try object.decode(SwapIntent.self, forKey: .intent))
            case .cutting: .cutting(swap: try swap())
            case .cut: .cut(swap: try swap(), checkpoint: try checkpoint())
            case .committed:
                .committed(
                    swap: try swap(),
                    reason: try object.decodeIfPresent(String.self, forKey: .reason)
                )
            case .rolledBack:
                .rolledBack(
                    swap: try swap(),
                    reason: try reason(),
                    checkpoint: try checkpoint(),
                    cause: try object.decode(Cause.self, forKey: .cause),
                    last: try object.decodeIfPresent(UInt64.self, forKey: .last)
                )
            case .abandoned: .abandoned(swap: try swap(), reason: try reason())
            case .swept: .swept(swap: try swap())
            case .adopted:
                .adopted(
                    operator: try object.decode(String.self, forKey: .operator),
                    sha256: try sha256()
                )
            case .adoptedJobFile:
                .adoptedJobFile(
                    SwapIntent.JobFile(
                        sha256: try sha256(),
                        path: try object.decode(String.self, forKey: .path)
                    )
                )
            case .released: .released(sha256: try sha256())
            }
    }

    // doc: inherited
    package func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        try object.encode(atMicroseconds, forKey: .at)
        switch event {
        case .intent(let intent):
            try object.encode(Name.intent, forKey: .entry)
            try object.encode(intent, forKey: .intent)
        case .cutting(let swap):
            try object.encode(Name.cutting, forKey: .entry)
            try object.encode(swap, forKey: .swap)
        case .cut(let swap, let checkpoint):
            try object.encode(Name.cut, forKey: .entry)
            try object.encode(swap, forKey: .swap)
            try object.encodeIfPresent(checkpoint, forKey: .checkpoint)
        case .committed(let swap, let reason):
            try object.encode(Name.committed, forKey: .entry)
            try object.encode(swap, forKey: .swap)
            try object.encodeIfPresent(reason, forKey: .reason)
        case .rolledBack(let swap, let reason, let checkpoint, let cause, let last):
            try object.encode(Name.rolledBack, forKey: .entry)
            try object.encode(swap, forKey: .swap)
            try object.encode(reason, forKey: .reason)
            try object.encodeIfPresent(checkpoint, forKey: .checkpoint)
            try object.encode(cause, forKey: .cause)
            try object.encodeIfPresent(last, forKey: .last)
        case .abandoned(let swap, let reason):
            try object.encode(Name.abandoned, forKey: .entry)
            try object.encode(swap, forKey: .swap)
            try object.encode(reason, forKey: .reason)
        case .swept(let swap):
            try object.encode(Name.swept, forKey: .entry)
            try object.encode(swap, forKey: .swap)
        case .adopted(let id, let sha256):
            try object.encode(Name.adopted, forKey: .entry)
            try object.encode(id, forKey: .operator)
            try object.encode(sha256, forKey: .sha256)
        case .adoptedJobFile(let file):
            try object.encode(Name.adoptedJobFile, forKey: .entry)
            try object.encode(file.sha256, forKey: .sha256)
            try object.encode(file.path, forKey: .path)
        case .released(let sha256):
            try object.encode(Name.released, forKey: .entry)
            try object.encode(sha256, forKey: .sha256)
        }
    }
}
