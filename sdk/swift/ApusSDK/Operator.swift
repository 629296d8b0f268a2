/// Something that takes records one after another and emits others.
///
/// A minimal operator:
///
/// ```swift
/// struct Shout: Operator {
///     static let id = "shout"
///     static let summary = "makes every record upper case"
///
///     mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
///         try context.emit(record.value.text.uppercased())
///     }
/// }
/// ```
///
/// Outputs, counters, operator state, and for a ``KeyedOperator`` state and timers, are declared as
/// properties:
///
/// ```swift
/// let rejected = Output("rejected", "records that are too long")
/// ```
///
/// That is all there is to declare: the SDK notes them, in their order, while `init()` runs, and
/// tells the host.  So they must be the same in each instance, and it must not be an `if` or a
/// loop over something changeable that creates them.  Names are stable for ever: state and timers
/// are filed under them in checkpoints.
///
/// Each subtask has its own instance.  Its methods are called one at a time, from one thread, and
/// must neither block nor start work that outlives them.
///
/// **Errors.**  Throwing a ``RecordError`` sets the record aside with its reason, and takes back
/// what was emitted for it, but not what was written to state: check first, then write.  Any
/// other error ends the job, with the error's description as the message.
public protocol Operator {
    /// The component's name in the plugin: `a-z`, `0-9`, `-`.
    static var id: String { get }

    /// What it does, in one line.
    static var summary: String { get }

    /// How many inputs it takes; 1 unless stated.
    static var inputCount: Int { get }

    /// How many broadcast inputs it takes at most; 0 unless stated.
    static var broadcastInputCount: Int { get }

    /// Creates an instance with the default configuration.
    ///
    /// Called once more than there are instances, to learn what the operator declares.  A type
    /// whose properties all have defaults need not write it.
    init()

    /// Takes over the configuration of the job file; does nothing unless implemented.
    ///
    /// - Throws: ``ConfigurationError`` or ``RecordError`` when it is wrong.
    mutating func configure(_ configuration: borrowing Configuration) throws

    /// Begins, before the first record; does nothing unless implemented.
    ///
    /// ``OperatorState`` has what the checkpoint had.  No record is in hand, so there is no state
    /// per key.
    ///
    /// - Throws: An error that ends the job.
    mutating func open(_ context: borrowing Context) throws

    /// Handles a record.
    ///
    /// - Throws: ``RecordError`` when the record is bad; anything else when work cannot go on.
    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws

    /// Handles a record of a broadcast input, as every subtask does.
    ///
    /// There is no state per key and no timer; ``BroadcastState`` can be changed.  What is done may
    /// depend on the record and on broadcast state alone.  Each subtask emits its own.
    ///
    /// - Throws: as for a record.
    mutating func processBroadcast(
        _ record: borrowing Record,
        _ context: borrowing Context
    ) throws

    /// Handles a batch of records; hands them to `process` one by one unless implemented.
    ///
    /// For what is cheaper for many records at once; see ``Batch``.
    ///
    /// - Throws: as for a record; a ``RecordError`` is about the record in hand.
    mutating func process(_ batch: borrowing Batch) throws

    /// Event time has reached `watermark`; all timers due by then have fired.
    ///
    /// No record is in hand, so there is no state.  What is emitted has no key, and the watermark
    /// as its time.  It may be at most what the host takes from one call, 64 MiB today.
    ///
    /// - Throws: An error that ends the job.
    mutating func onWatermark(_ watermark: Timestamp, _ context: borrowing Context) throws
}

extension Operator {
    /// One.
    @inlinable
    public static var inputCount: Int { 1 }

    /// None.
    @inlinable
    public static var broadcastInputCount: Int { 0 }

    /// Refuses the record.
    @inlinable
    public mutating func processBroadcast(
        _ record: borrowing Record,
        _ context: borrowing Context
    ) throws {
        throw OperatorError("the operator has a broadcast input but no processBroadcast")
    }

    /// Does nothing.
    @inlinable
    public mutating func configure(_ configuration: borrowing Configuration) throws {}

    /// Does nothing.
    @inlinable
    public mutating func open(_ context: borrowing Context) throws {}

    /// Hands the records to `process` one by one.
    @inlinable
    public mutating func process(_ batch: borrowing Batch) throws {
        try batch.handleEach { record, context in try process(record, context) }
    }

    /// Does nothing.
    @inlinable
    public mutating func onWatermark(
        _ watermark: Timestamp,
        _ context: borrowing Context
    ) throws {}
}

/// An operator whose records have keys, and which keeps state and sets timers per key.
///
/// ```swift
/// struct Visits: KeyedOperator {
///     static let id = "visits"
///     static let summary = "counts the visits of each customer, until a day without any"
///
///     let visits = ValueState<Int>("visits")
///     let quiet = Timer("quiet")
///
///     mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
///         guard let time = record.eventTime else { throw RecordError("no event time") }
///         try context[visits].modify(default: 0) { $0 += 1 }
///         try context.set(quiet, at: time + .seconds(86_400))
///     }
///
///     mutating func onTimer(_ timer: borrowing FiredTimer, _ context: borrowing Context) throws {
///         try context.emit("\(try context[visits].get() ?? 0) visits")
///         try context[visits].clear()
///     }
/// }
/// ```
public protocol KeyedOperator: Operator {
    /// Whether it wants records without key too; otherwise the host sets them aside.
    static var acceptsRecordsWithoutKey: Bool { get }

    /// Handles a timer that is due; state, outputs and timers are those of the timer's key.
    ///
    /// - Throws: as for a record.
    mutating func onTimer(_ timer: borrowing FiredTimer, _ context: borrowing Context) throws
}

extension KeyedOperator {
    /// False.
    @inlinable
    public static var acceptsRecordsWithoutKey: Bool { false }

    /// Does nothing.
    @inlinable
    public mutating func onTimer(
        _ timer: borrowing FiredTimer,
        _ context: borrowing Context
    ) throws {}
}
