import CApusPlugin

// Fixed-length values of many records at once.
extension Frame {
    /// Has the host find the values of records `start ..< end`, into `many`.
    @usableFromInline
    func find(_ slot: UInt32, _ start: UInt32, _ end: UInt32, _ name: StaticString) throws {
        // SAFETY: there is room for chunkCount pointers, and the chunk is no longer.
        let code = context.pointee.state.pointee.value_mut_many(
            context,
            slot,
            start,
            end - start,
            many.pointers,
            many.created
        )
        guard code == APUS_OK else { throw OperatorError.refused("state", name, code) }
    }

    /// Forgets the values that ``find(_:_:_:_:)`` has made for records that were not reached: they
    /// are zero, which need not be a value.
    @usableFromInline
    func forget(_ slot: UInt32, from reached: UInt32, to end: UInt32, chunk start: UInt32) {
        for record in reached..<end where many.created[Int(record - start)] == 1 {
            _ = context.pointee.state.pointee.clear(context, slot, record)
        }
    }
}
