package import ApusMemory
import CApusGuard
import CApusPlugin

extension OperatorInstance {
    /// Has the plugin handle calls that are completed, from `first` on.
    ///
    /// Outputs are to be drained afterwards.
    ///
    /// - Parameters:
    ///   - calls: At least one, all of the same input.
    ///   - records: Their records, in the same order.
    ///   - first: The first one to handle.
    ///   - watermark: The operator's watermark.
    ///   - nowMicroseconds: Processing time, for the context.
    /// - Returns: How far it came.
    package func onAsync(
        _ calls: [AsyncCall],
        _ records: RecordBatch,
        from first: Int,
        watermark: Int64,
        nowMicroseconds: Int64
    ) -> CallOutcome {
        var starts: [UInt32] = [0]
        var results: [apus_result] = []
        for call in calls {
            if let brought = call.results?.records { results += brought }
            starts.append(UInt32(results.count))
        }
        let tokens = calls.map(\.token)
        let users = calls.map(\.user)
        let statuses = calls.map(\.status)
        var view = records.view(
            input: UInt32(truncatingIfNeeded: calls[0].input),
            isKeyed: description.isKeyed
        )
        // SAFETY: the arrays and the batch outlive the call; the plugin keeps nothing of them.
        return withUnsafePointer(to: &view) { view in
            starts.withUnsafeBufferPointer { starts in
                results.withUnsafeBufferPointer { results in
                    tokens.withUnsafeBufferPointer { tokens in
                        users.withUnsafeBufferPointer { users in
                            statuses.withUnsafeBufferPointer { statuses in
                                var batch = apus_async_batch(
                                    size: UInt32(MemoryLayout<apus_async_batch>.size),
                                    reserved: 0,
                                    batch: view,
                                    token: tokens.baseAddress,
                                    user: users.baseAddress,
                                    status: statuses.baseAddress,
                                    first: starts.baseAddress,
                                    results: results.baseAddress
                                )
                                return handle(
                                    "on_async",
                                    view,
                                    from: first,
                                    watermark,
                                    nowMicroseconds
                                ) {
                                    apus_guard_on_async(
                                        site.pointer,
                                        functions,
                                        object,
                                        context,
                                        &batch
                                    )
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Whether the plugin wants to see completed calls itself.
    package var hasOnAsync: Bool { table.on_async != nil }

    /// Tells the plugin that nobody waits for a call any more.
    package func cancel(_ call: AsyncCall) {
        guard table.cancel != nil else { return }
        apus_guard_cancel(site.pointer, functions, object, context, call.token, call.user)
    }

    /// Tells the plugin of an event that was posted.
    ///
    /// Outputs are to be drained afterwards.
    package func onEvent(
        _ event: UInt64,
        watermark: Int64,
        nowMicroseconds: Int64
    ) -> CallOutcome {
        guard table.on_event != nil else { return .done }
        return inform("on_event", watermark, nowMicroseconds) {
            apus_guard_on_event(site.pointer, functions, object, context, event)
        }
    }
}
