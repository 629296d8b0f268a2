public import CApusPlugin

/// A record of the batch in hand, lent to a handler: it cannot be kept.
public struct Record: ~Copyable {
    @usableFromInline let batch: UnsafePointer<apus_batch>
    @usableFromInline let index: Int

    // SAFETY: whoever creates a record has checked that the index is below the batch's count;
    // the batch is the host's until the callback returns, and a record cannot outlive that
    // because handlers only borrow it.
    @inlinable
    init(_ batch: UnsafePointer<apus_batch>, _ index: Int) {
        self.batch = batch
        self.index = index
    }

    /// Whether it has a key: without one there is neither state nor a timer.
    @inlinable
    public var hasKey: Bool { apus_has_key(batch, UInt32(truncatingIfNeeded: index)) != 0 }

    /// The key's bytes; none when there is no key.
    @inlinable
    public var key: Bytes {
        guard hasKey, let keys = batch.pointee.key else { return .empty }
        return Bytes(
            start: apus_view_data(keys + index, batch.pointee.buffers),
            count: Int(keys[index].len)
        )
    }

    /// Whether it has a value, which is not the same as an empty one.
    @inlinable
    public var hasValue: Bool {
        guard let kinds = batch.pointee.kind else { return true }
        return kinds[index] & UInt8(APUS_KIND_NULL_VALUE) == 0
    }

    /// The value's bytes; none when there is no value.
    @inlinable
    public var value: Bytes {
        guard let values = batch.pointee.value else { return .empty }
        return Bytes(
            start: apus_view_data(values + index, batch.pointee.buffers),
            count: Int(values[index].len)
        )
    }

    /// When it happened; nil when the record does not say.
    @inlinable
    public var eventTime: Timestamp? {
        let time = batch.pointee.ts[index]
        return time == Int64.min ? nil : Timestamp(microseconds: time)
    }

    /// The index of the input that it came in by.
    @inlinable
    public var input: Int { Int(batch.pointee.input) }
}
