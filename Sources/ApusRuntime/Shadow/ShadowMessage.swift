import ApusMemory
import ApusState

/// What a job tells the process in which a new version runs as a shadow.
///
/// A stream of messages; all integers are little-endian.
///
/// | message | bytes | what |
/// |---|---|---|
/// | 0 | 4 | bytes that follow |
/// | 4 | 1 | 1 = setup, 2 = fork, 3 = step, 4 = end |
/// | 5 | | content |
///
/// A setup is ``ShadowSetup`` in JSON.  An end has no content.
///
/// | fork | bytes | what |
/// |---|---|---|
/// | 0 | 8 | event time of the operator, `Int64.min` for none |
/// | 8 | | broadcast states: list of lists of key, value |
/// | | | operator states: list of lists of items |
/// | | | private snapshot: list of none or one |
///
/// | step | bytes | what |
/// |---|---|---|
/// | 0 | 1 | 0 = nothing, 1 = records, 2 = event time, 3 = processing time |
/// | 1 | 4 | the operator's input, of records |
/// | 5 | 8 | processing time, in microseconds since 1970 |
/// | 13 | 8 | event time, of event time |
/// | 21 | | list of keys that are met for the first time, with what they have |
/// | | | list of records |
/// | | | list of outputs of the running version |
///
/// A list is its count in 4 bytes, and its elements; bytes are their count in 4 bytes, and
/// themselves.
///
/// | key | | |
/// |---|---|---|
/// | | | key; list of values: slot (4), kind (1), content |
/// | | | kinds: 0 = bytes, 1 = number (8), 2 = list of bytes, 3 = list of key, value |
/// | | | list of timers: domain (1), name (4), id (8), time (8), payload |
///
/// | record | | event time (8), kind bits (1), hash of the key (8), key, value |
/// |---|---|---|
/// | output | | the bytes of a ``ShadowOutput`` |
enum ShadowMessage {
    /// What comes first.
    case setup([UInt8])
    /// What the running version has that is not filed under keys.
    case fork(ShadowFork)
    /// What it was called with, and what it wrote.
    case step(ShadowStep)
    /// There is nothing more.
    case end

    /// The number of a message's kind.
    enum Kind: UInt8 {
        case setup = 1
        case fork
        case step
        case end
    }

    /// Bytes of the count and the kind in front of each message.
    static let headByteCount = 5
    /// The longest message that is read.
    static let byteCountMax = 1 << 30

    /// Reads a message.
    ///
    /// - Parameter bytes: One that is whole, from its kind on.
    /// - Returns: Nil when it is damaged.
    static func read(_ bytes: ArraySlice<UInt8>) -> ShadowMessage? {
        guard let kind = bytes.first.flatMap(Kind.init) else { return nil }
        var reader = ShadowReader(bytes.dropFirst())
        switch kind {
        case .setup: return .setup(Array(bytes.dropFirst()))
        case .fork: return reader.fork().map(ShadowMessage.fork)
        case .step: return reader.step().map(ShadowMessage.step)
        case .end: return .end
        }
    }
}

/// What the running version has that is not filed under keys.
struct ShadowFork {
    /// Event time, in microseconds since 1970; `Int64.min` for none.
    var watermark = Int64.min
    var broadcasts: [[BroadcastEntry]] = []
    var operatorState: [OperatorStateItems] = []
    /// What its private snapshot is; nil when it has none.
    var snapshot: [UInt8]?
}

/// What the running version was called with, and what it wrote.
struct ShadowStep {
    /// What it was called with.
    enum What: UInt8 {
        /// Nothing: there are only keys.
        case nothing
        case records
        case eventTime
        case processingTime
    }

    var what: What
    var input: Int
    /// Processing time, in microseconds since 1970.
    var now: Int64
    /// Event time, in microseconds since 1970.
    var watermark: Int64
    /// Keys that are met for the first time.
    var images: [KeyImage]
    var records: RecordBatch
    /// See ``ShadowOutput``.
    var outputs: [[UInt8]]
}
