package import CApusPlugin

/// The tables of C functions through which plugins reach state and timers.
///
/// `host_private` of a context must be the ``KeyedState`` of its instance, or NULL for an
/// operator without keys: then every function returns `APUS_UNSUPPORTED`.
package enum StateInterface {
    /// Makes the table of state functions; it must live as long as any plugin may call it.
    package static func makeStateFunctions() -> apus_state_api {
        apus_state_api(
            size: UInt32(MemoryLayout<apus_state_api>.size),
            reserved: 0,
            value_get: { context, slot, record, value in
                guard let value else { return APUS_UNSUPPORTED }
                return withState(of: context) { $0.valueGet(slot, record, value) }
            },
            value_put: { context, slot, record, bytes, length in
                withState(of: context) { $0.valuePut(slot, record, bytes, length) }
            },
            value_mut: { context, slot, record, value in
                guard let value else { return APUS_UNSUPPORTED }
                return withState(of: context) { $0.valueMut(slot, record, value) }
            },
            value_mut_many: { context, slot, first, count, values, created in
                guard let values else { return APUS_UNSUPPORTED }
                return withState(of: context) {
                    $0.valueMutMany(slot, first, count, values, created)
                }
            },
            counter_add: { context, slot, record, delta, sum in
                withState(of: context) { $0.counterAdd(slot, record, delta, sum) }
            },
            counter_get: { context, slot, record, sum in
                guard let sum else { return APUS_UNSUPPORTED }
                return withState(of: context) { $0.counterGet(slot, record, sum) }
            },
            list_append: { context, slot, record, bytes, length in
                withState(of: context) { $0.listAppend(slot, record, bytes, length) }
            },
            list_count: { context, slot, record, count in
                guard let count else { return APUS_UNSUPPORTED }
                return withState(of: context) { $0.listCount(slot, record, count) }
            },
            list_next: { context, slot, record, cursor, values, capacity, count in
                guard let cursor, let values, let count else { return APUS_UNSUPPORTED }
                return withState(of: context) {
                    $0.listNext(slot, record, cursor, values, capacity, count)
                }
            },
            map_get: { context, slot, record, key, keyLength, value in
                guard let value else { return APUS_UNSUPPORTED }
                return withState(of: context) { $0.mapGet(slot, record, key, keyLength, value) }
            },
            map_put: { context, slot, record, key, keyLength, bytes, length in
                withState(of: context) { $0.mapPut(slot, record, key, keyLength, bytes, length) }
            },
            map_remove: { context, slot, record, key, keyLength in
                withState(of: context) { $0.mapRemove(slot, record, key, keyLength) }
            },
            map_count: { context, slot, record, count in
                guard let count else { return APUS_UNSUPPORTED }
                return withState(of: context) { $0.mapCount(slot, record, count) }
            },
            map_next: { context, slot, record, cursor, entries, capacity, count in
                guard let cursor, let entries, let count else { return APUS_UNSUPPORTED }
                return withState(of: context) {
                    $0.mapNext(slot, record, cursor, entries, capacity, count)
                }
            },
            clear: { context, slot, record in
                withState(of: context) { $0.clear(slot, record) }
            }
        )
    }

    /// Makes the table of timer functions; it must live as long as any plugin may call it.
    package static func makeTimerFunctions() -> apus_timer_api {
        apus_timer_api(
            size: UInt32(MemoryLayout<apus_timer_api>.size),
            reserved: 0,
            set: { context, timer, id, record, time, payload, length in
                withState(of: context) { $0.timerSet(timer, id, record, time, payload, length) }
            },
            cancel: { context, timer, id, record in
                withState(of: context) { $0.timerCancel(timer, id, record) }
            }
        )
    }
}

/// Runs `body` with the state of a context, without touching its reference count.
///
/// A free function because a C function pointer cannot capture a type.
@inline(__always)
private func withState(
    of context: UnsafeMutablePointer<apus_ctx>?,
    _ body: (KeyedState) -> Int32
) -> Int32 {
    guard let host = context?.pointee.host_private else { return APUS_UNSUPPORTED }
    // SAFETY: host_private is set by the owner of both, the operator's instance, which keeps the
    // state alive as long as the context.
    return Unmanaged<KeyedState>.fromOpaque(host)._withUnsafeGuaranteedRef(body)
}
