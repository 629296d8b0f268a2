import CApusPlugin

/// One slot with values of one length; whatever else is asked for, is not there.
final class TestState {
    let functions = UnsafeMutablePointer<apus_state_api>.allocate(capacity: 1)
    /// The keys of the records in hand.
    var keys: [String?] = []

    private var values: [String: UnsafeMutableRawPointer] = [:]
    private let byteCount: Int

    init(byteCount: Int) {
        self.byteCount = byteCount
        functions.initialize(to: apus_state_api())
        functions.pointee.size = UInt32(MemoryLayout<apus_state_api>.size)
        functions.pointee.value_get = { context, slot, record, value in
            guard let key = testKey(context, slot, record) else { return APUS_UNSUPPORTED }
            guard let state = testState(context), let stored = state.values[key] else {
                return APUS_NOT_FOUND
            }
            value?.pointee = apus_bytes(
                data: stored.assumingMemoryBound(to: UInt8.self),
                len: UInt64(state.byteCount)
            )
            return APUS_OK
        }
        functions.pointee.value_put = { context, slot, record, bytes, length in
            guard let key = testKey(context, slot, record), let state = testState(context),
                let bytes, length == state.byteCount
            else { return APUS_UNSUPPORTED }
            state.value(key).pointer.copyMemory(from: bytes, byteCount: state.byteCount)
            return APUS_OK
        }
        functions.pointee.value_mut_many = { context, slot, first, count, pointers, created in
            for index in 0..<Int(count) {
                let key = testKey(context, slot, first + UInt32(index))
                let value = key.flatMap { testState(context)?.value($0) }
                pointers?[index] = value?.pointer
                created?[index] = value?.isNew == true ? 1 : 0
            }
            return slot == 0 ? APUS_OK : APUS_UNSUPPORTED
        }
        functions.pointee.clear = { context, slot, record in
            guard let key = testKey(context, slot, record) else { return APUS_UNSUPPORTED }
            testState(context)?.values.removeValue(forKey: key)?.deallocate()
            return APUS_OK
        }
    }

    deinit {
        functions.deallocate()
        for value in values.values { value.deallocate() }
    }

    /// The keys that have a value.
    var storedKeys: [String] { values.keys.sorted() }

    private func value(_ key: String) -> (pointer: UnsafeMutableRawPointer, isNew: Bool) {
        if let value = values[key] { return (value, false) }
        let value = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 8)
        value.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        values[key] = value
        return (value, true)
    }
}

private func testState(_ context: UnsafeMutablePointer<apus_ctx>?) -> TestState? {
    context?.pointee.host_private.map {
        Unmanaged<TestState>.fromOpaque($0).takeUnretainedValue()
    }
}

/// The key of a record if it has one and the slot exists.
private func testKey(
    _ context: UnsafeMutablePointer<apus_ctx>?,
    _ slot: UInt32,
    _ record: UInt32
) -> String? {
    guard slot == 0, let keys = testState(context)?.keys, record < keys.count else { return nil }
    return keys[Int(record)]
}
