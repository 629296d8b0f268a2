public import ApusSDK
import CApusPlugin
import CApusTesting
import Synchronization

/// A host in memory for one instance of an operator: no runtime, and a clock that the test sets.
///
/// ```swift
/// let host = try OperatorHarness(Visits.self, config: #"{"limit":3}"#)
/// try host.feed("ann", "a record", at: Timestamp(microseconds: 1_000_000))
/// try host.advance(to: Timestamp(microseconds: 90_000_000_000))
/// #expect(try host.values("main") == ["1"])
/// ```
///
/// What a real host would fail a job for is thrown, as a ``HarnessFailure``.
public final class OperatorHarness {
    /// How to be a host.
    public struct Options: Sendable {
        /// Which subtask the instance is.
        public var subtask = 0
        /// How many there are.
        public var parallelism = 1
        /// Records per call at most; 0 is as many as there are.
        public var recordsPerBatch = 0
        /// Records that an output takes until it has to be asked; 0 is 1024.
        public var recordsPerSegment = 0
        /// How often it agrees in one call; 0 is always.
        public var segmentsPerCall = 0
        /// Whether the host always wants its thread back.
        public var keepsStopping = false

        /// The usual ones.
        public init() {}

        /// Outputs that take one record at a time, and a host that always wants its thread back:
        /// what an operator does must be the same.
        public static var narrow: Options {
            var options = Options()
            options.recordsPerSegment = 1
            options.segmentsPerCall = 1
            options.keepsStopping = true
            return options
        }
    }

    // SAFETY: `test` is open from init to deinit.  What the SDK notes while an operator is made is
    // per library, so whatever makes one holds `control`.
    let test: OpaquePointer

    private static let control = Mutex<Void>(())

    /// Runs what describes plugins or creates instances without a harness, alone.
    package static func alone(_ body: () throws -> Void) rethrows {
        try control.withLock { _ in try body() }
    }

    /// The plugin that the entry function below describes.
    ///
    /// `nonisolated(unsafe)` because whoever uses it holds `control`.
    nonisolated(unsafe) private static var plugin: Plugin?

    private static let entry: apus_entry_function = { host, error in
        OperatorHarness.plugin?.exportUnderTest(to: host, error)
    }

    /// Creates and opens an instance of an operator without keys.
    ///
    /// - Throws: ``HarnessFailure`` when it refuses the configuration.
    public convenience init<Subject: Operator>(
        _ type: Subject.Type,
        config: String = "{}",
        options: Options = Options()
    ) throws {
        try self.init(Component(type), config, options)
    }

    /// Creates and opens an instance of an operator with keys.
    ///
    /// - Throws: ``HarnessFailure`` when it refuses the configuration.
    public convenience init<Subject: KeyedOperator>(
        _ type: Subject.Type,
        config: String = "{}",
        options: Options = Options()
    ) throws {
        try self.init(Component(type), config, options)
    }

    private init(_ component: Component, _ config: String, _ options: Options) throws {
        var raw = apus_test_options()
        raw.size = UInt32(MemoryLayout<apus_test_options>.size)
        raw.subtask = UInt32(options.subtask)
        raw.parallelism = UInt32(options.parallelism)
        raw.batch_records = UInt32(options.recordsPerBatch)
        raw.records_per_segment = UInt32(options.recordsPerSegment)
        raw.segments_per_call = UInt32(options.segmentsPerCall)
        raw.keeps_stopping = options.keepsStopping ? 1 : 0
        let test = Self.withPlugin(of: component) {
            apus_test_open(Self.entry, nil, config, &raw)
        }
        guard let test else { throw HarnessFailure(code: 0, message: "no host was made") }
        self.test = test
        try check()
    }

    deinit {
        apus_test_close(test)
    }

    private static func withPlugin<Result>(of component: Component, _ body: () -> Result) -> Result
    {
        control.withLock { _ in
            plugin = Plugin(id: "test", version: "1.0.0", vendor: "test", component)
            defer { plugin = nil }
            return body()
        }
    }

    /// Throws what went wrong.
    func check() throws {
        guard let message = apus_test_failure(test) else { return }
        throw HarnessFailure(
            code: apus_test_failure_code(test),
            message: String(cString: message)
        )
    }

    // MARK: - What goes in

    /// Hands over one record.
    public func feed(_ key: String?, _ value: String, at time: Timestamp?) throws {
        try feed([HarnessRecord(key: key, value: value, time: time)])
    }

    /// Hands over records in one batch, by one of the operator's inputs.
    public func feed(_ records: [HarnessRecord], input: Int = 0) throws {
        for record in records { add(record) }
        apus_test_run(test, UInt32(input))
        try check()
    }

    /// Hands over a record of a broadcast input.
    public func broadcast(_ value: String, input: Int = 0) throws {
        add(HarnessRecord(key: nil, value: value, time: nil))
        apus_test_run_broadcast(test, UInt32(input))
        try check()
    }

    private func add(_ record: HarnessRecord) {
        var value = record.value
        value.withUTF8 { value in
            var raw = apus_test_record()
            // Bytes of length 0 still need an address, or the record would have no value.
            raw.value = apus_bytes(
                data: value.baseAddress ?? UnsafePointer(bitPattern: 1),
                len: UInt64(value.count)
            )
            raw.ts = record.time?.microseconds ?? .min
            guard var key = record.key else { return apus_test_add(test, raw) }
            key.withUTF8 { key in
                raw.key = apus_bytes(
                    data: key.baseAddress ?? UnsafePointer(bitPattern: 1),
                    len: UInt64(key.count)
                )
                apus_test_add(test, raw)
            }
        }
    }

    /// Event time has reached this: fires timers.
    public func advance(to watermark: Timestamp) throws {
        apus_test_watermark(test, watermark.microseconds)
        try check()
    }

    /// All input has ended: fires all event-time timers.
    public func end() throws {
        try advance(to: Timestamp(microseconds: .max))
    }

    /// The clock on the wall shows this: fires timers.
    public func setClock(to time: Timestamp) throws {
        apus_test_clock(test, time.microseconds)
        try check()
    }

    /// Goes on with another instance on the same state, as from a checkpoint.
    ///
    /// With another version of the operator, values are migrated as a swap of plugins does.
    public func restart<Subject: KeyedOperator>(as type: Subject.Type) throws {
        Self.withPlugin(of: Component(type)) { apus_test_restart(test, Self.entry, nil) }
        try check()
    }

    /// Goes on with another instance of an operator without keys.
    public func restart<Subject: Operator>(as type: Subject.Type) throws {
        Self.withPlugin(of: Component(type)) { apus_test_restart(test, Self.entry, nil) }
        try check()
    }

    /// Forgets what came out, what was refused, and the log.
    public func forget() {
        apus_test_forget(test)
    }
}
