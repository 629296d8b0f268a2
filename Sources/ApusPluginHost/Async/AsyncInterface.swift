import CApusPlugin

/// The functions of `apus.async/1`.
enum AsyncInterface {
    static func makeFunctions() -> apus_async_api {
        apus_async_api(
            size: UInt32(MemoryLayout<apus_async_api>.size),
            reserved: 0,
            begin: { context, record, timeout, user, token in
                guard let object = context?.pointee.instance_private else {
                    return APUS_UNSUPPORTED
                }
                // SAFETY: the context is the host's, and its instance lives while it runs.
                return Unmanaged<OperatorInstance>.fromOpaque(object)._withUnsafeGuaranteedRef {
                    $0.calls?.begin(record, timeoutMicroseconds: timeout, user: user, token: token)
                        ?? APUS_UNSUPPORTED
                }
            },
            complete: { instance, token, status, results, count in
                AsyncInboxes.find(instance)?
                    .complete(token: token, status: status, results: results, count: count)
                    ?? APUS_STALE
            },
            post: { instance, event in
                AsyncInboxes.find(instance)?.post(event) ?? APUS_STALE
            }
        )
    }
}
