public import CApusPlugin

/// What a handler can do for the record or the timer in hand: emit, keep state, set timers.
///
/// Lent to a handler; it cannot be kept.
public struct Context: ~Copyable {
    @usableFromInline let frame: UnsafeMutablePointer<Frame>
    @usableFromInline let record: UInt32

    // SAFETY: the frame lives as long as the instance and its pointers are set for each
    // callback; handlers only borrow this.  The host checks `record` in each of its functions.
    @inlinable
    init(_ frame: UnsafeMutablePointer<Frame>, _ record: UInt32) {
        self.frame = frame
        self.record = record
    }

    /// What event time has reached; nil before the first watermark.
    @inlinable
    public var watermark: Timestamp? {
        let time = frame.pointee.context.pointee.watermark_us
        return time == Int64.min ? nil : Timestamp(microseconds: time)
    }

    /// Processing time, read once per call of the host.
    @inlinable
    public var now: Timestamp { Timestamp(microseconds: frame.pointee.context.pointee.now_us) }

    /// Adds to a counter.
    ///
    /// - Precondition: It is a stored property of the operator.
    @inlinable
    public func increment(_ counter: Counter, by amount: UInt64 = 1) {
        precondition(counter.index < frame.pointee.counterCount, "the counter is not declared")
        frame.pointee.context.pointee.counters[Int(counter.index)] &+= amount
    }

    /// Logs a line; the host keeps at most 100 a second per instance.
    public func log(_ level: LogLevel, _ message: @autoclosure () -> String) {
        HostLog.write(frame.pointee.context.pointee.instance, level, message)
    }
}

// MARK: - Emitting

extension Context {
    /// Emits a record with the key and the time of the one in hand.
    ///
    /// - Throws: ``OperatorError`` when the output is not declared, or the value is 2 GiB long.
    @inlinable
    public func emit(_ value: some ByteSource, to output: Output = .main) throws {
        try value.withBytes { try frame.pointee.emit($0, record, output.index) }
    }

    /// Emits a record with a key of its own.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - key: The key.
    ///   - time: Its event time; that of the record in hand unless stated.
    ///   - output: Where it leaves; by the main output unless stated.
    /// - Throws: As ``emit(_:to:)``.
    @inlinable
    public func emit(
        _ value: some ByteSource,
        key: some ByteSource,
        at time: Timestamp? = nil,
        to output: Output = .main
    ) throws {
        let microseconds = time?.microseconds ?? frame.pointee.time(of: record)
        try key.withBytes { key in
            try value.withBytes {
                try frame.pointee.emit($0, key: key, microseconds, output.index)
            }
        }
    }

    /// Hands the record in hand on as it is, without copying its bytes.
    ///
    /// - Throws: ``OperatorError`` when the output is not declared, or no record is in hand.
    @inlinable
    public func forward(to output: Output = .main) throws {
        try frame.pointee.forward(record, output.index)
    }
}

// MARK: - Timers

extension Context {
    /// Sets a timer of the key in hand, or moves it if it is set already.
    ///
    /// One that is set for a time that has passed fires as soon as the host can.
    ///
    /// - Parameters:
    ///   - timer: A declaration.
    ///   - id: Tells timers of the same declaration apart.
    ///   - time: When it is to fire.
    /// - Throws: ``OperatorError`` when there is no key, or the timer is not declared.
    @inlinable
    public func set(_ timer: Timer, id: UInt64 = 0, at time: Timestamp) throws {
        try set(timer, id: id, at: time, payload: Bytes.empty)
    }

    /// Sets a timer that brings bytes along when it fires.
    ///
    /// - Throws: As ``set(_:id:at:)``.
    @inlinable
    public func set(
        _ timer: Timer,
        id: UInt64 = 0,
        at time: Timestamp,
        payload: some ByteSource
    ) throws {
        let code = payload.withBytes { bytes in
            frame.pointee.context.pointee.timers.pointee.set(
                frame.pointee.context,
                timer.index,
                id,
                record,
                time.microseconds,
                bytes.start,
                UInt64(bytes.count)
            )
        }
        guard code == APUS_OK else { throw OperatorError.refused("timer", timer.name, code) }
    }

    /// Cancels a timer of the key in hand.
    ///
    /// - Returns: Whether it was set.
    /// - Throws: As ``set(_:id:at:)``.
    @inlinable
    @discardableResult
    public func cancel(_ timer: Timer, id: UInt64 = 0) throws -> Bool {
        let code = frame.pointee.context.pointee.timers.pointee.cancel(
            frame.pointee.context,
            timer.index,
            id,
            record
        )
        if code == APUS_NOT_FOUND { return false }
        guard code == APUS_OK else { throw OperatorError.refused("timer", timer.name, code) }
        return true
    }
}
