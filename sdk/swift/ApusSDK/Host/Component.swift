public import CApusPlugin

/// An operator as part of a plugin: `Component(TicketOperator.self)`.
public struct Component {
    let id: String
    let summary: String
    let inputCount: Int
    let broadcastInputCount: Int
    let isKeyed: Bool
    let acceptsRecordsWithoutKey: Bool
    /// Creates an operator only to see what it declares.
    let declare: () -> Declarations
    /// Creates an instance, and tells what it has declared.
    let create: (borrowing Configuration) throws -> (Instance, Declarations)

    @usableFromInline
    init(
        id: String,
        summary: String,
        inputCount: Int,
        broadcastInputCount: Int,
        isKeyed: Bool,
        acceptsRecordsWithoutKey: Bool,
        declare: @escaping () -> Declarations,
        create: @escaping (borrowing Configuration) throws -> (Instance, Declarations)
    ) {
        self.id = id
        self.summary = summary
        self.inputCount = inputCount
        self.broadcastInputCount = broadcastInputCount
        self.isKeyed = isKeyed
        self.acceptsRecordsWithoutKey = acceptsRecordsWithoutKey
        self.declare = declare
        self.create = create
    }

    /// An operator without keys.
    @inlinable
    public init<Subject: Operator>(_ type: Subject.Type) {
        self.init(
            id: Subject.id,
            summary: Subject.summary,
            inputCount: Subject.inputCount,
            broadcastInputCount: Subject.broadcastInputCount,
            isKeyed: false,
            acceptsRecordsWithoutKey: false,
            declare: { Self.declarations(of: type) },
            create: { configuration in
                let (memory, declarations) = try Self.make(type, configuration)
                let instance = Self.instance(memory, declarations) { _, _ in APUS_UNSUPPORTED }
                return (instance, declarations)
            }
        )
    }

    /// An operator with keys.
    @inlinable
    public init<Subject: KeyedOperator>(_ type: Subject.Type) {
        self.init(
            id: Subject.id,
            summary: Subject.summary,
            inputCount: Subject.inputCount,
            broadcastInputCount: Subject.broadcastInputCount,
            isKeyed: true,
            acceptsRecordsWithoutKey: Subject.acceptsRecordsWithoutKey,
            declare: { Self.declarations(of: type) },
            create: { configuration in
                let (memory, declarations) = try Self.make(type, configuration)
                let instance = Self.instance(memory, declarations) { context, timers in
                    Self.onTimers(memory, context, timers)
                }
                return (instance, declarations)
            }
        )
    }

    @inlinable
    static func declarations<Subject: Operator>(of type: Subject.Type) -> Declarations {
        Declarations.collect { _ = Subject() }
    }

    @inlinable
    static func make<Subject: Operator>(
        _ type: Subject.Type,
        _ configuration: borrowing Configuration
    ) throws -> (InstanceMemory<Subject>, Declarations) {
        var subject: Subject?
        let declarations = Declarations.collect { subject = Subject() }
        guard var subject else { throw OperatorError("no instance was made") }
        try subject.configure(configuration)
        return (InstanceMemory(subject), declarations)
    }

    @inlinable
    static func instance<Subject: Operator>(
        _ memory: InstanceMemory<Subject>,
        _ declarations: Declarations,
        onTimers: @escaping (UnsafeMutablePointer<apus_ctx>, UnsafePointer<apus_timers>) -> Int32
    ) -> Instance {
        let counterCount = declarations.counterCount
        return Instance(
            open: { open(memory, $0, counterCount) },
            process: { context, batch in process(memory, context, batch) },
            processBroadcast: { context, batch in processBroadcast(memory, context, batch) },
            onTimers: onTimers,
            onWatermark: { context, time in onWatermark(memory, context, time) },
            free: { memory.free() }
        )
    }

    @inlinable
    static func open<Subject: Operator>(
        _ memory: InstanceMemory<Subject>,
        _ context: UnsafeMutablePointer<apus_ctx>,
        _ counterCount: Int
    ) -> Int32 {
        memory.open(context, counterCount)
        memory.frame.pointee.begin(context)
        do {
            try memory.subject.pointee.open(Context(memory.frame, .max))
            return memory.frame.pointee.finish()
        } catch {
            return memory.frame.pointee.fail(error)
        }
    }

    // SAFETY: in the following, `open` has initialised the frame, and the host's pointers are
    // valid until the callback returns.

    @inlinable
    static func process<Subject: Operator>(
        _ memory: InstanceMemory<Subject>,
        _ context: UnsafeMutablePointer<apus_ctx>,
        _ batch: UnsafePointer<apus_batch>
    ) -> Int32 {
        if let code = memory.frame.pointee.begin(context, batch) { return code }
        do {
            try memory.subject.pointee.process(Batch(memory.frame, batch))
            return memory.frame.pointee.finish()
        } catch {
            return memory.frame.pointee.fail(error)
        }
    }

    @inlinable
    static func processBroadcast<Subject: Operator>(
        _ memory: InstanceMemory<Subject>,
        _ context: UnsafeMutablePointer<apus_ctx>,
        _ batch: UnsafePointer<apus_batch>
    ) -> Int32 {
        if let code = memory.frame.pointee.begin(context, batch) { return code }
        do {
            try Frame.forEach(memory.frame) { index in
                try memory.subject.pointee.processBroadcast(
                    Record(batch, index),
                    Context(memory.frame, UInt32(truncatingIfNeeded: index))
                )
            }
            return memory.frame.pointee.finish()
        } catch {
            return memory.frame.pointee.fail(error)
        }
    }

    @inlinable
    static func onTimers<Subject: KeyedOperator>(
        _ memory: InstanceMemory<Subject>,
        _ context: UnsafeMutablePointer<apus_ctx>,
        _ timers: UnsafePointer<apus_timers>
    ) -> Int32 {
        if let code = memory.frame.pointee.begin(context, timers.pointee.batch) { return code }
        do {
            try Frame.forEach(memory.frame) { index in
                try memory.subject.pointee.onTimer(
                    FiredTimer(timers, index),
                    Context(memory.frame, UInt32(truncatingIfNeeded: index))
                )
            }
            return memory.frame.pointee.finish()
        } catch {
            return memory.frame.pointee.fail(error)
        }
    }

    @inlinable
    static func onWatermark<Subject: Operator>(
        _ memory: InstanceMemory<Subject>,
        _ context: UnsafeMutablePointer<apus_ctx>,
        _ time: Int64
    ) -> Int32 {
        memory.frame.pointee.begin(context)
        do {
            try memory.subject.pointee.onWatermark(
                Timestamp(microseconds: time),
                Context(memory.frame, .max)
            )
            return memory.frame.pointee.finish()
        } catch {
            return memory.frame.pointee.fail(error)
        }
    }
}
