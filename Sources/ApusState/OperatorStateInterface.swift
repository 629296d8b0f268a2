package import CApusPlugin

/// The table of C functions through which plugins reach operator state.
///
/// `operator_state_private` of a context must be the ``OperatorStateLists`` of its instance, or
/// NULL for an operator that declares none: then every function returns `APUS_UNSUPPORTED`.
package enum OperatorStateInterface {
    /// Makes the table; it must live as long as any plugin may call it.
    package static func makeFunctions() -> apus_operator_state_api {
        apus_operator_state_api(
            size: UInt32(MemoryLayout<apus_operator_state_api>.size),
            reserved: 0,
            count: { context, index, count in
                guard let count else { return APUS_UNSUPPORTED }
                return withLists(of: context, index) { lists in
                    count.pointee = UInt64(lists.count(Int(index)))
                    return APUS_OK
                }
            },
            get: { context, index, position, item in
                guard let item else { return APUS_UNSUPPORTED }
                return withItem(of: context, index, position) { lists, position in
                    let found = lists.item(Int(index), position)
                    item.pointee = apus_bytes(
                        data: found.baseAddress?.assumingMemoryBound(to: UInt8.self),
                        len: UInt64(found.count)
                    )
                    return APUS_OK
                }
            },
            append: { context, index, item, length in
                guard PluginBytes.isReadable(item, length) else { return APUS_UNSUPPORTED }
                return withLists(of: context, index) { lists in
                    guard length < UInt64(Int32.max), lists.count(Int(index)) < Int32.max else {
                        return APUS_LIMIT
                    }
                    lists.append(Int(index), PluginBytes.buffer(item, length))
                    return APUS_OK
                }
            },
            set: { context, index, position, item, length in
                guard PluginBytes.isReadable(item, length) else { return APUS_UNSUPPORTED }
                return withItem(of: context, index, position) { lists, position in
                    guard length < UInt64(Int32.max) else { return APUS_LIMIT }
                    lists.set(Int(index), position, PluginBytes.buffer(item, length))
                    return APUS_OK
                }
            },
            truncate: { context, index, count in
                withLists(of: context, index) { lists in
                    lists.truncate(Int(index), to: Int(clamping: count))
                    return APUS_OK
                }
            }
        )
    }
}

// Free functions, because a C function pointer cannot capture a type.
//
// SAFETY: operator_state_private is set by the owner of both, the operator's instance, which keeps
// the lists alive as long as the context.

@inline(__always)
private func withLists(
    of context: UnsafeMutablePointer<apus_ctx>?,
    _ index: UInt32,
    _ body: (OperatorStateLists) -> Int32
) -> Int32 {
    guard let host = context?.pointee.operator_state_private else { return APUS_UNSUPPORTED }
    return Unmanaged<OperatorStateLists>.fromOpaque(host)._withUnsafeGuaranteedRef { lists in
        Int(index) < lists.declaredCount ? body(lists) : APUS_UNSUPPORTED
    }
}

@inline(__always)
private func withItem(
    of context: UnsafeMutablePointer<apus_ctx>?,
    _ index: UInt32,
    _ position: UInt64,
    _ body: (OperatorStateLists, Int) -> Int32
) -> Int32 {
    withLists(of: context, index) { lists in
        guard position < UInt64(lists.count(Int(index))) else { return APUS_NOT_FOUND }
        return body(lists, Int(position))
    }
}
