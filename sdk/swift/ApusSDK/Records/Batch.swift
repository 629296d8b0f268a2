public import CApusPlugin

/// The records that one call brings, lent to a handler: it cannot be kept.
///
/// An operator sees it only when it implements `process(_ batch:)`, for instance to look up the
/// state of all records at once:
///
/// ```swift
/// mutating func process(_ batch: borrowing Batch) throws {
///     try counts.modifyEach(in: batch, default: 0) { record, context, count in
///         count += 1
///         try context.emit(String(count))
///     }
/// }
/// ```
public struct Batch: ~Copyable {
    @usableFromInline let frame: UnsafeMutablePointer<Frame>
    @usableFromInline let batch: UnsafePointer<apus_batch>

    // SAFETY: the frame lives as long as the instance, the batch until the callback returns;
    // handlers only borrow this.
    @inlinable
    init(_ frame: UnsafeMutablePointer<Frame>, _ batch: UnsafePointer<apus_batch>) {
        self.frame = frame
        self.batch = batch
    }

    /// How many records there are to handle.
    ///
    /// A batch whose handling was interrupted comes again, with the rest of its records.
    @inlinable
    public var count: Int { Int(batch.pointee.count) - Int(frame.pointee.first) }

    /// Calls `body` with each record, in order; most batch handlers do this once.
    ///
    /// Returns early, without an error, when the host wants to take over what was emitted: the
    /// handler should then return, and is called again for the other records.
    ///
    /// - Throws: What `body` throws.  A ``RecordError`` concerns the record that it was called
    ///   with.
    @inlinable
    public func handleEach(
        _ body: (borrowing Record, borrowing Context) throws -> Void
    ) throws {
        try Frame.forEach(frame) { index in
            try body(Record(batch, index), Context(frame, UInt32(truncatingIfNeeded: index)))
        }
    }
}
