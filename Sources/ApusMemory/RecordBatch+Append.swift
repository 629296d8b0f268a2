package import CApusPlugin

extension RecordBatch {
    /// Copies bytes into `view`: in place when short, else into the arena.
    ///
    /// - Returns: False when the arena cannot grow any further; `view` is untouched then.
    @inline(__always)
    package func store(
        _ bytes: UnsafeRawPointer?,
        count: Int,
        in view: UnsafeMutablePointer<apus_view>
    ) -> Bool {
        if count <= 12 {
            apus_view_inline(view, bytes, UInt32(truncatingIfNeeded: count))
            return true
        }
        guard reserveArena(count), let bytes else { return false }
        let target = arena + arenaUsed
        // SAFETY: reserveArena made room for `count` bytes behind arenaUsed.
        UnsafeMutableRawPointer(target).copyMemory(from: bytes, byteCount: count)
        refer(view, toArenaOffset: arenaUsed, count: count)
        arenaUsed &+= count
        return true
    }

    /// Makes `view` refer to `count` > 12 bytes that are in the arena already.
    @inline(__always)
    package func refer(
        _ view: UnsafeMutablePointer<apus_view>,
        toArenaOffset offset: Int,
        count: Int
    ) {
        let target = arena + offset
        var reference = apus_view_reference()
        reference.prefix = (target[0], target[1], target[2], target[3])
        reference.buffer = UInt32(truncatingIfNeeded: borrowedBufferCount)
        reference.offset = UInt32(truncatingIfNeeded: offset)
        view.pointee.len = UInt32(truncatingIfNeeded: count)
        view.pointee.u.ref = reference
    }

    /// Makes `view` show `count` bytes of the arena, copying them into the view when they fit.
    @inline(__always)
    package func show(
        arenaOffset offset: Int,
        count: Int,
        in view: UnsafeMutablePointer<apus_view>
    ) {
        if count <= 12 {
            apus_view_inline(view, arena + offset, UInt32(truncatingIfNeeded: count))
        } else {
            refer(view, toArenaOffset: offset, count: count)
        }
    }

    /// Appends a record.
    ///
    /// - Parameters:
    ///   - key: Its key; nil when it has none.
    ///   - value: Its value.
    ///   - time: Event time in microseconds, or `APUS_NO_TIME`.
    /// - Returns: False when the columns are full or the arena cannot grow; nothing is appended.
    package func append(
        key: UnsafeRawBufferPointer?,
        value: UnsafeRawBufferPointer,
        time: Int64
    ) -> Bool {
        guard count < recordCapacity, reserveArena((key?.count ?? 0) + value.count) else {
            return false
        }
        let index = count
        _ = store(key?.baseAddress, count: key?.count ?? 0, in: keys + index)
        _ = store(value.baseAddress, count: value.count, in: values + index)
        times[index] = time
        kinds[index] = key == nil ? UInt8(APUS_KIND_NULL_KEY) : 0
        count = index + 1
        return true
    }

    /// Appends a record that has a key and nothing else.
    ///
    /// - Parameter key: Its key.
    /// - Returns: False when the columns are full or the arena cannot grow; nothing is appended.
    package func append(key: [UInt8]) -> Bool {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        return key.withUnsafeBytes { append(key: $0, value: nothing, time: .min) }
    }

    /// Appends a record without key and time, whose value the arena has.
    ///
    /// - Precondition: The columns have room.
    package func appendShown(arenaOffset offset: Int, count byteCount: Int) {
        let index = count
        keys[index] = apus_view()
        show(arenaOffset: offset, count: byteCount, in: values + index)
        times[index] = .min
        kinds[index] = UInt8(APUS_KIND_NULL_KEY)
        count = index + 1
    }

    /// Removes records, whose indices ascend; the others move up.
    package func remove(_ indices: [Int]) {
        guard let first = indices.first else { return }
        var target = first
        var next = 0
        for index in first..<count {
            if next < indices.count, indices[next] == index {
                next += 1
                continue
            }
            keys[target] = keys[index]
            values[target] = values[index]
            times[target] = times[index]
            hashes[target] = hashes[index]
            kinds[target] = kinds[index]
            target += 1
        }
        count = target
    }
}
