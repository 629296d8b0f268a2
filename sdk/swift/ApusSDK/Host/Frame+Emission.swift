public import CApusPlugin

// Writing to outputs, without ever handing them over while a handler runs.
extension Frame {
    @inlinable
    func output(_ index: UInt32) throws -> UnsafeMutablePointer<apus_out> {
        // SAFETY: the host has outputCount outputs.
        guard index < outputCount, let output = context.pointee.outs[Int(index)] else {
            throw OperatorError("the output is no stored property of the operator")
        }
        return output
    }

    /// Whether a record of so many bytes can be written right now.
    @inlinable
    func hasRoom(_ output: UnsafeMutablePointer<apus_out>, _ byteCount: Int) -> Bool {
        !hasSetAside && output.pointee.count < output.pointee.capacity
            && byteCount <= Int(output.pointee.room &- output.pointee.used)
    }

    /// The event time of a record, or else the watermark.
    @inlinable
    func time(of record: UInt32) -> Int64 {
        guard let batch else { return context.pointee.watermark_us }
        return batch.pointee.ts[Int(record)]
    }

    /// Emits a value with the key of a record.
    @inlinable
    mutating func emit(_ value: Bytes, _ record: UInt32, _ output: UInt32) throws {
        let out = try self.output(output)
        guard let batch, hasRoom(out, value.count) else {
            return try emitSlowly(value, record, output)
        }
        // SAFETY: there is room, so this does not call `more`; the bytes are copied at once.
        let count = UInt32(truncatingIfNeeded: value.count)
        _ = apus_emit_keyed(out, batch, record, value.start, count)
    }

    @usableFromInline
    mutating func emitSlowly(_ value: Bytes, _ record: UInt32, _ output: UInt32) throws {
        guard let batch else {
            return try setAside(value, nil, context.pointee.watermark_us, 0, output)
        }
        let record = Record(batch, Int(record))
        let time = record.eventTime?.microseconds ?? .min
        try setAside(value, record.hasKey ? record.key : nil, time, 0, output)
    }

    /// Emits a value with a key.
    @inlinable
    mutating func emit(_ value: Bytes, key: Bytes, _ time: Int64, _ output: UInt32) throws {
        let out = try self.output(output)
        guard hasRoom(out, key.count + value.count) else {
            return try setAside(value, key, time, 0, output)
        }
        // SAFETY: as above.
        _ = apus_emit(
            out,
            key.start,
            UInt32(truncatingIfNeeded: key.count),
            value.start,
            UInt32(truncatingIfNeeded: value.count),
            time
        )
    }

    /// Hands a record on.
    @inlinable
    mutating func forward(_ record: UInt32, _ output: UInt32) throws {
        let out = try self.output(output)
        guard let batch, hasRoom(out, 0) else { return try forwardSlowly(record, output) }
        _ = apus_forward(out, batch, record)
    }

    @usableFromInline
    mutating func forwardSlowly(_ index: UInt32, _ output: UInt32) throws {
        guard let batch else { throw OperatorError("no record is in hand to be forwarded") }
        let record = Record(batch, Int(index))
        let kind = record.hasValue ? 0 : UInt8(APUS_KIND_NULL_VALUE)
        let time = record.eventTime?.microseconds ?? .min
        try setAside(record.value, record.hasKey ? record.key : nil, time, kind, output)
    }

    @usableFromInline
    mutating func setAside(
        _ value: Bytes,
        _ key: Bytes?,
        _ time: Int64,
        _ kind: UInt8,
        _ output: UInt32
    ) throws {
        guard value.count + (key?.count ?? 0) < Int(Int32.max) else {
            throw OperatorError("a record of \(value.count) bytes is too long to be emitted")
        }
        setAside.append(value, key, time, kind, output)
        hasSetAside = true
    }

    /// Takes back what was emitted for the record in hand.
    mutating func takeBack() {
        for output in 0..<Int(outputCount) {
            // SAFETY: outputs are handed over between records only, and marked again then, so
            // this always finds the mark's segment.
            _ = apus_rollback(context.pointee.outs[output], marks + output)
        }
        setAside.truncate(to: setAsideCountAtMark)
        hasSetAside = !setAside.isEmpty
    }

    /// Writes what was set aside.
    ///
    /// - Returns: False when the host takes no more in this callback; the rest stays set aside.
    mutating func writeSetAside() -> Bool {
        guard setAside.write(to: context) else { return false }
        hasSetAside = false
        setAsideCountAtMark = 0
        return true
    }
}
