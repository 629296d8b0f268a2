package import CApusPlugin

/// The table of C functions through which plugins reach broadcast state.
///
/// `broadcast_private` of a context must be the ``BroadcastState`` of its instance, or NULL for an
/// operator that declares none: then every function returns `APUS_UNSUPPORTED`.
package enum BroadcastInterface {
    /// Makes the table; it must live as long as any plugin may call it.
    package static func makeFunctions() -> apus_broadcast_api {
        apus_broadcast_api(
            size: UInt32(MemoryLayout<apus_broadcast_api>.size),
            reserved: 0,
            get: { context, index, key, keyLength, value in
                guard let value, PluginBytes.isReadable(key, keyLength) else {
                    return APUS_UNSUPPORTED
                }
                return withState(of: context, index) { state in
                    guard let found = state.get(Int(index), PluginBytes.buffer(key, keyLength))
                    else {
                        return APUS_NOT_FOUND
                    }
                    value.pointee = found
                    return APUS_OK
                }
            },
            count: { context, index, count in
                guard let count else { return APUS_UNSUPPORTED }
                return withState(of: context, index) { state in
                    count.pointee = state.map(Int(index)).count
                    return APUS_OK
                }
            },
            next: { context, index, cursor, entries, capacity, count in
                guard let cursor, let entries, let count else { return APUS_UNSUPPORTED }
                count.pointee = 0
                return withState(of: context, index) { state in
                    guard let filled = state.map(Int(index)).next(cursor, entries, Int(capacity))
                    else { return APUS_STALE }
                    count.pointee = UInt32(filled)
                    return APUS_OK
                }
            },
            put: { context, index, key, keyLength, value, length in
                guard PluginBytes.isReadable(key, keyLength), PluginBytes.isReadable(value, length)
                else {
                    return APUS_UNSUPPORTED
                }
                guard keyLength < UInt64(Int32.max), length < UInt64(Int32.max) else {
                    return APUS_LIMIT
                }
                return withWritable(of: context, index) { state in
                    state.put(
                        Int(index),
                        PluginBytes.buffer(key, keyLength),
                        PluginBytes.buffer(value, length)
                    )
                    return APUS_OK
                }
            },
            remove: { context, index, key, keyLength in
                guard PluginBytes.isReadable(key, keyLength) else { return APUS_UNSUPPORTED }
                return withWritable(of: context, index) { state in
                    state.remove(Int(index), PluginBytes.buffer(key, keyLength))
                        ? APUS_OK : APUS_NOT_FOUND
                }
            },
            clear: { context, index in
                withWritable(of: context, index) { state in
                    state.clear(Int(index))
                    return APUS_OK
                }
            }
        )
    }
}

// Free functions, because a C function pointer cannot capture a type.
//
// SAFETY: broadcast_private is set by the owner of both, the operator's instance, which keeps the
// state alive as long as the context; the plugin promises so many readable bytes.

@inline(__always)
private func withState(
    of context: UnsafeMutablePointer<apus_ctx>?,
    _ index: UInt32,
    _ body: (BroadcastState) -> Int32
) -> Int32 {
    guard let host = context?.pointee.broadcast_private else { return APUS_UNSUPPORTED }
    return Unmanaged<BroadcastState>.fromOpaque(host)._withUnsafeGuaranteedRef { state in
        Int(index) < state.names.count ? body(state) : APUS_UNSUPPORTED
    }
}

private func withWritable(
    of context: UnsafeMutablePointer<apus_ctx>?,
    _ index: UInt32,
    _ body: (BroadcastState) -> Int32
) -> Int32 {
    withState(of: context, index) { $0.isWritable ? body($0) : APUS_READ_ONLY }
}
