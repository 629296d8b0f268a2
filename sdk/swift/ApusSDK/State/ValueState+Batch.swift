public import CApusPlugin

extension ValueState {
    /// Changes the value of each record of a batch, in order, and stores it.
    ///
    /// The host looks up many values at once, which for millions of keys is several times faster
    /// than one by one.  To be used once in a batch handler, in the way of
    /// ``Batch/handleEach(_:)``.  `body` must not use this state by way of its context.
    ///
    /// - Parameters:
    ///   - batch: The batch in hand.
    ///   - initial: The value of a key that has none yet.
    ///   - body: Changes the value of a record.
    /// - Throws: What `body` throws; nothing is stored for that record.  ``OperatorError`` as for
    ///   a ``ValueCell``, and when a record has no key or `Value` has no fixed length.
    @inlinable
    public func modifyEach(
        in batch: borrowing Batch,
        default initial: @autoclosure () -> Value,
        _ body: (borrowing Record, borrowing Context, inout Value) throws -> Void
    ) throws {
        let (frame, records) = (batch.frame, batch.batch)
        let count = records.pointee.count
        var start = frame.pointee.first
        while start < count {
            let end = min(count, start + UInt32(Frame.chunkCount))
            try find(frame, start, end)
            // On every way out, the values that were made for records not reached go again: they
            // are zero, which need not be a value.
            var reached = start
            defer { frame.pointee.forget(slot, from: reached, to: end, chunk: start) }
            while reached < end {
                let index = Int(reached - start)
                let pointer = try value(frame, at: index)
                frame.pointee.take(reached)
                var value =
                    frame.pointee.many.created[index] == 1
                    ? initial()
                    : try StateDecoder.value(
                        Value.self,
                        of: Bytes(start: pointer, count: fixedByteCount),
                        name
                    )
                try body(Record(records, Int(reached)), Context(frame, reached), &value)
                try store(value, at: pointer, frame)
                reached += 1
                guard frame.pointee.settle() else { return }
            }
            start = end
        }
    }

    @usableFromInline
    func find(_ frame: UnsafeMutablePointer<Frame>, _ start: UInt32, _ end: UInt32) throws {
        guard fixedByteCount > 0 else {
            throw OperatorError("state '\(name)': values without fixedByteCount are kept apart")
        }
        try frame.pointee.find(slot, start, end, name)
    }

    @inlinable
    func value(
        _ frame: UnsafeMutablePointer<Frame>,
        at index: Int
    ) throws -> UnsafeMutableRawPointer {
        guard let pointer = frame.pointee.many.pointers[index] else {
            throw OperatorError.refused("state", name, APUS_UNSUPPORTED)
        }
        return pointer
    }

    @inlinable
    func store(
        _ value: Value,
        at pointer: UnsafeMutableRawPointer,
        _ frame: UnsafeMutablePointer<Frame>
    ) throws {
        frame.pointee.valueScratch.replace(with: value)
        let bytes = frame.pointee.valueScratch.bytes
        guard bytes.count == fixedByteCount else { throw wrongByteCount(bytes.count) }
        // SAFETY: a fixed-length slot has this many bytes, and stays where it is until the same
        // slot of the same key is written or cleared.
        pointer.copyMemory(from: bytes.start, byteCount: bytes.count)
    }
}
