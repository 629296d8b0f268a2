package import ApusMemory
import CApusGuard
import CApusPlugin

/// A sink of a plugin at work.
///
/// Created on the control thread, then used by one thread at a time.  All calls go through the
/// guard; results are checked, so that a plugin that breaks the contract ends as an error.
package final class SinkInstance {
    /// How a write ended.
    package enum Write: Equatable {
        /// All records are taken.
        case done
        /// Call again from this record.
        case again(at: Int)
        /// This record can never be written, for that reason; go on behind it.
        case badRecord(at: Int, reason: String)
        /// Nothing was taken, for that reason; the same call may be made again.
        case retry(String)
        /// The instance cannot go on.
        case failed(PluginError)
    }

    private let host: InstanceContext
    private let functions: UnsafePointer<apus_sink_vt>
    private var isOpen = false
    private var idleCallCount = 0

    /// Creates an instance of a component, which is a sink.
    ///
    /// - Throws: ``PluginError`` when the plugin refuses its configuration, throws or breaks the
    ///   contract.
    package init(
        plugin: LoadedPlugin,
        component index: Int,
        arguments: InstanceArguments
    ) throws(PluginError) {
        precondition(
            plugin.description.components[index].kind == .sink,
            "the caller has looked for a sink"
        )
        guard
            let table = plugin.components[index].pointee.vt?
                .assumingMemoryBound(to: apus_sink_vt.self)
        else { throw PluginError(.badDescription, plugin.file, "component \(index) has no vt") }
        functions = table
        host = try InstanceContext(plugin, index, role: "sink", arguments: arguments)
    }

    /// The value of each declared counter.
    package var counters: [(name: String, value: UInt64)] { host.counters }

    /// Tells a callback that runs to return soon.
    ///
    /// Any thread.
    package func requestStop() { host.requestStop() }

    /// Opens the instance.
    ///
    /// - Returns: The newest epoch that was committed; 0 for none, or when that is not known.
    /// - Throws: ``PluginError`` when the plugin cannot begin.
    package func open(nowMicroseconds: Int64) throws(PluginError) -> UInt64 {
        // From here on the instance runs on this thread: a stack overflow can be reported.
        apus_guard_prepare_thread()
        guard functions.pointee.open != nil else {
            isOpen = true
            return 0
        }
        host.begin(watermark: .min, now: nowMicroseconds)
        var epoch: UInt64 = 0
        let code = apus_guard_sink_open(
            host.site.pointer,
            functions,
            host.object,
            host.context,
            &epoch
        )
        guard code == APUS_OK else { throw host.failure("open", code) }
        isOpen = true
        return epoch
    }

    /// Has the plugin take records from `first` on.
    package func write(
        _ batch: RecordBatch,
        from first: Int,
        watermark: Int64,
        nowMicroseconds: Int64
    ) -> Write {
        var view = batch.view(input: 0, isKeyed: false)
        // SAFETY: the plugin may use the view during the call only; the batch outlives it.
        let code = withUnsafePointer(to: &view) { view in
            host.begin(view, from: first, watermark: watermark, now: nowMicroseconds)
            return apus_guard_sink_write(
                host.site.pointer,
                functions,
                host.object,
                host.context,
                view
            )
        }
        for output in host.outputs { output.discard() }
        let count = batch.count
        let at = Int(host.context.pointee.at)
        switch code {
        case APUS_OK:
            idleCallCount = 0
            return .done
        case APUS_YIELD, APUS_LIMIT:
            guard (first...count).contains(at) else {
                return .failed(
                    host.broken("write", "stopped at record \(at) of \(first)..<\(count)")
                )
            }
            idleCallCount = at == first ? idleCallCount + 1 : 0
            guard idleCallCount < 3 else {
                return .failed(
                    host.broken("write", "yielded three times without progress at record \(at)")
                )
            }
            return at == count ? .done : .again(at: at)
        case APUS_RECORD:
            guard (first..<count).contains(at) else {
                return .failed(
                    host.broken("write", "reported record \(at) of \(first)..<\(count)")
                )
            }
            idleCallCount = 0
            return .badRecord(at: at, reason: host.message ?? "no reason given")
        case APUS_RETRY: return .retry(host.message ?? "no reason given")
        default: return .failed(host.failure("write", code))
        }
    }

    /// Has the plugin send on its way what it has taken.
    ///
    /// The component has a flush.
    package func flush(nowMicroseconds: Int64) -> CallResult {
        host.begin(watermark: host.context.pointee.watermark_us, now: nowMicroseconds)
        return result(
            of: apus_guard_flush(host.site.pointer, functions, host.object, host.context),
            "flush"
        )
    }

    /// Has the plugin make all that it has taken visible, as an epoch.
    ///
    /// The component has a commit.
    package func commit(_ epoch: UInt64, nowMicroseconds: Int64) -> CallResult {
        host.begin(watermark: host.context.pointee.watermark_us, now: nowMicroseconds)
        return result(
            of: apus_guard_commit(host.site.pointer, functions, host.object, host.context, epoch),
            "commit"
        )
    }

    private func result(of code: Int32, _ callback: String) -> CallResult {
        switch code {
        case APUS_OK: .done
        case APUS_RETRY: .retry(host.message ?? "no reason given")
        default: .failed(host.failure(callback, code))
        }
    }

    /// Closes the instance, if it was opened.
    ///
    /// - Throws: ``PluginError`` when the plugin throws.
    package func close(nowMicroseconds: Int64) throws(PluginError) {
        guard isOpen else { return }
        isOpen = false
        guard functions.pointee.close != nil else { return }
        host.begin(watermark: host.context.pointee.watermark_us, now: nowMicroseconds)
        let code = apus_guard_sink_close(host.site.pointer, functions, host.object, host.context)
        guard code == APUS_OK else { throw host.failure("close", code) }
    }
}
