public import CApusPlugin

// The functions of the host: those of keyed state when there is a record, else those of broadcast
// state: a branch that goes the same way each time, before a call through a pointer.
//
// SAFETY: bytes are read during the calls alone; what comes back is decoded before the map is next
// written.
extension MapCell {
    @inlinable
    func hostCount(_ count: inout UInt64) -> Int32 {
        let context = frame.pointee.context
        guard let record else {
            return context.pointee.broadcast.pointee.count(context, index, &count)
        }
        return context.pointee.state.pointee.map_count(context, index, record, &count)
    }

    @inlinable
    func hostGet(_ key: Bytes, _ value: inout apus_bytes) -> Int32 {
        let context = frame.pointee.context
        let (start, count) = (key.start, UInt64(key.count))
        guard let record else {
            return context.pointee.broadcast.pointee.get(context, index, start, count, &value)
        }
        return context.pointee.state.pointee.map_get(context, index, record, start, count, &value)
    }

    @inlinable
    func hostPut(_ key: Bytes, _ value: Bytes) -> Int32 {
        let context = frame.pointee.context
        guard let record else {
            return context.pointee.broadcast.pointee.put(
                context,
                index,
                key.start,
                UInt64(key.count),
                value.start,
                UInt64(value.count)
            )
        }
        return context.pointee.state.pointee.map_put(
            context,
            index,
            record,
            key.start,
            UInt64(key.count),
            value.start,
            UInt64(value.count)
        )
    }

    @inlinable
    func hostRemove(_ key: Bytes) -> Int32 {
        let context = frame.pointee.context
        let (start, count) = (key.start, UInt64(key.count))
        guard let record else {
            return context.pointee.broadcast.pointee.remove(context, index, start, count)
        }
        return context.pointee.state.pointee.map_remove(context, index, record, start, count)
    }

    /// Asks for one further entry.
    @inlinable
    func hostNext(
        _ cursor: inout apus_cursor,
        _ entry: inout apus_entry,
        _ count: inout UInt32
    ) -> Int32 {
        let context = frame.pointee.context
        guard let record else {
            return context.pointee.broadcast.pointee.next(
                context,
                index,
                &cursor,
                &entry,
                1,
                &count
            )
        }
        return context.pointee.state.pointee.map_next(
            context,
            index,
            record,
            &cursor,
            &entry,
            1,
            &count
        )
    }
}
