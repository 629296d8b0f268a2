/// What a checkpoint holds: where each part of the job was, and the files that go with it.
///
/// On disk it is a ``SealedDocument`` in `manifests/`; `docs/formats/checkpoint.md` lists the
/// members.
package struct Manifest: Codable, Equatable, Sendable {
    /// Who decides how long it stays.
    package enum Kind: String, Codable, Sendable {
        /// The runtime: it goes when enough newer ones are complete.
        case checkpoint
        /// A person: it stays until somebody removes it.
        case savepoint
    }

    /// The version of the format; see ``SealedDocument``.
    package internal(set) var formatVersion = SealedDocument.formatVersion
    /// The checkpoint folder that it was written in, 32 hexadecimal digits; set by the commit.
    package internal(set) var folder = ""
    /// The checkpoint that the job's history goes back to; nil for the first; set by the commit.
    ///
    /// Numbers in between are not part of that history: they were given up, or the job was set
    /// back behind them.
    package internal(set) var previousNumber: UInt64?
    /// Who decides how long that one stays, in case its own manifest is damaged.
    package internal(set) var previousKind: Kind?
    /// The job's name.
    package var job: String
    /// The checkpoint's number, which is the epoch that it ends.
    package var number: UInt64
    /// Who decides how long it stays.
    package var kind: Kind
    /// When its barrier was sent, in microseconds since 1970.
    package var createdMicroseconds: Int64
    /// The version of Apus that wrote it.
    package var writerVersion: String
    /// The number of key groups.
    package var maxParallelism: Int
    /// The number of subtasks of keyed operators.
    package var parallelism: Int
    /// Whether the job's input had ended: nothing is left to do but to deliver.
    package var isFinal: Bool
    /// The operators.
    package var operators: [OperatorState]
    /// The sources, an element for each subtask.
    package var sources: [SourceState]
    /// The sinks, an element for each subtask.
    package var sinks: [SinkState]
    /// Records that were on their way.
    package var inFlight: [InFlight]
    /// All files of the checkpoint.
    package var files: [FileEntry]

    /// Creates a manifest.
    ///
    /// - Parameters:
    ///   - job: The job's name.
    ///   - number: The checkpoint's number.
    ///   - kind: Who decides how long it stays.
    ///   - createdMicroseconds: When its barrier was sent.
    ///   - writerVersion: The version of Apus.
    ///   - maxParallelism: The number of key groups.
    ///   - parallelism: The number of subtasks of keyed operators.
    ///   - isFinal: Whether the job's input had ended.
    ///   - operators: The operators.
    ///   - sources: The sources' subtasks.
    ///   - sinks: The sinks' subtasks.
    ///   - inFlight: Records that were on their way.
    ///   - files: All files, as the attempt returned them.
    package init(
        job: String,
        number: UInt64,
        kind: Kind = .checkpoint,
        createdMicroseconds: Int64,
        writerVersion: String,
        maxParallelism: Int,
        parallelism: Int,
        isFinal: Bool = false,
        operators: [OperatorState] = [],
        sources: [SourceState] = [],
        sinks: [SinkState] = [],
        inFlight: [InFlight] = [],
        files: [FileEntry] = []
    ) {
        self.job = job
        self.number = number
        self.kind = kind
        self.createdMicroseconds = createdMicroseconds
        self.writerVersion = writerVersion
        self.maxParallelism = maxParallelism
        self.parallelism = parallelism
        self.isFinal = isFinal
        self.operators = operators
        self.sources = sources
        self.sinks = sinks
        self.inFlight = inFlight
        self.files = files
    }

    /// The bytes of all its files together; a file that has two names counts once.
    package var byteCount: Int {
        Dictionary(files.map { ($0.contentName, $0.byteCount) }) { first, _ in first }
            .values.cappedSum
    }

    /// The version of the format that has all of it: 2 with broadcast or operator state, which
    /// an older Apus must not overlook.
    package var neededFormatVersion: Int {
        operators.contains { !$0.ownContentNames.isEmpty } ? 2 : 1
    }

    /// The content names of all its files.
    var contentNames: Set<String> { Set(files.map(\.contentName)) }

    /// What is wrong with the manifest in itself; nil when nothing is.
    var problem: String? {
        if let problem = files.lazy.compactMap(\.problem).first { return problem }
        let names = Set(files.map(\.logicalNameInRole))
        guard names.count == files.count else { return "two of its files have the same name" }
        let listed = contentNames
        let used =
            sinks.flatMap { $0.undelivered.map(\.contentName) } + inFlight.map(\.contentName)
            + operators.flatMap(\.ownContentNames)
        if let missing = used.first(where: { !listed.contains($0) }) {
            return "it uses the file \(missing), which is not among its files"
        }
        return nil
    }
}

extension FileEntry {
    /// The logical name; names of different roles do not meet.
    fileprivate var logicalNameInRole: String { role.rawValue + "/" + logicalName }
}
