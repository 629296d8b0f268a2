import ApusCore
import ApusMemory
import CApusGuard
import CApusPlugin
import Synchronization

/// What an instance of a source, sink or codec sees of the host, and what is the same for all
/// three: how it is created, how its calls begin, and what its failures are called.
///
/// Created on the control thread, then used by one thread at a time.
final class InstanceContext {
    /// The cells of a histogram of the ABI.
    private static let histogramCellCount = 66

    let context: UnsafeMutablePointer<apus_ctx>
    let error: UnsafeMutablePointer<apus_error>
    let site: CallSite
    /// Whose it is, for messages: plugin, version, node and subtask.
    let owner: String
    let instance: UInt64
    /// The outputs, the main one first.
    let outputs: [OutputBuilder]
    /// What create made; nil before, and for a plugin that needs none.
    private(set) var object: UnsafeMutableRawPointer?

    private let component: UnsafePointer<apus_component>
    private let outs: UnsafeMutablePointer<UnsafeMutablePointer<apus_out>?>
    private let cells: UnsafeMutablePointer<UInt64>
    private let counterNames: [String]
    /// Read by the plugin as a plain word; written through the atomic from any thread.
    private let stop: UnsafeMutablePointer<Atomic<UInt32>>
    private var isCreated = false
    /// What the plugin posts; nil for one that cannot be woken.
    private let inbox: AsyncInbox?

    /// Creates an instance of a component.
    ///
    /// - Parameters:
    ///   - plugin: The plugin.
    ///   - index: The component.
    ///   - role: "source", "sink" or "codec of", for messages.
    ///   - arguments: What it is created for.
    ///   - inbox: Takes what the plugin posts.
    /// - Throws: ``PluginError`` with code `badConfiguration` when the plugin refuses its
    ///   configuration, `failed` when it throws or breaks the contract.
    init(
        _ plugin: LoadedPlugin,
        _ index: Int,
        role: String,
        arguments: InstanceArguments,
        inbox: AsyncInbox? = nil
    ) throws(PluginError) {
        self.inbox = inbox
        let description = plugin.description.components[index]
        component = plugin.components[index]
        owner =
            "plugin \(plugin.description.id) \(plugin.description.version), \(role) "
            + "\(arguments.operatorID), subtask \(arguments.subtask)"
        site = CallSite(owner)
        instance = PluginLog.register(owner)
        SecretRegistry.register(instance, arguments.secrets)
        outputs = description.outputs.indices.map {
            OutputBuilder(
                port: UInt32($0),
                recordCapacity: arguments.recordsPerBatch,
                arenaCapacity: 512 << 10
            )
        }
        counterNames = description.counters.map(\.name)
        let histogramCount = description.histograms.count
        let cellCount = counterNames.count + histogramCount * Self.histogramCellCount
        // SAFETY: freed in deinit, after the plugin's instance, which alone gets these pointers.
        context = .allocate(capacity: 1)
        error = .allocate(capacity: 1)
        error.initialize(to: CallSite.emptyError)
        outs = .allocate(capacity: max(1, outputs.count))
        for (index, output) in outputs.enumerated() { (outs + index).initialize(to: output.out) }
        cells = .allocate(capacity: max(1, cellCount))
        cells.initialize(repeating: 0, count: max(1, cellCount))
        stop = .allocate(capacity: 1)
        stop.initialize(to: Atomic(0))
        context.initialize(to: apus_ctx())
        prepare(histogramCount)
        ThreadCheck.add(site.pointer, instance)
        // Before create, which may start a thread that posts.
        if let inbox { AsyncInboxes.add(inbox, instance) }
        let failure = arguments.create(component, instance: instance, site: site, &object)
        if let failure {
            throw PluginError(failure.code, "\(owner), create", failure.message)
        }
        isCreated = true
    }

    deinit {
        closeInbox()
        if isCreated { apus_guard_destroy(site.pointer, component, object) }
        SecretRegistry.unregister(instance)
        ThreadCheck.remove(instance)
        PluginLog.unregister(instance)
        context.deallocate()
        error.deallocate()
        outs.deallocate()
        cells.deallocate()
        stop.deallocate()
    }

    private func prepare(_ histogramCount: Int) {
        context.pointee.size = UInt32(MemoryLayout<apus_ctx>.size)
        context.pointee.out_count = UInt32(outputs.count)
        context.pointee.outs = UnsafePointer(outs)
        // There is no state behind them: they say APUS_UNSUPPORTED.
        context.pointee.state = ContextTables.state
        context.pointee.timers = ContextTables.timers
        context.pointee.broadcast = ContextTables.broadcast
        context.pointee.operator_state = ContextTables.operatorState
        context.pointee.instance = instance
        context.pointee.watermark_us = .min
        context.pointee.stop = UnsafeRawPointer(stop).assumingMemoryBound(to: UInt32.self)
        context.pointee.counters = cells
        context.pointee.error = error
        context.pointee.histograms = cells + counterNames.count
        context.pointee.histogram_count = UInt32(histogramCount)
    }

    /// The value of each declared counter.
    var counters: [(name: String, value: UInt64)] {
        counterNames.enumerated().map { ($1, cells[$0]) }
    }

    /// Tells a callback that runs to return soon.
    ///
    /// Any thread.
    func requestStop() {
        // Releasing: who sees it also sees the request that it follows from.
        stop.pointee.store(1, ordering: .releasing)
    }

    /// Ends what the plugin may post.
    func closeInbox() {
        guard let inbox else { return }
        AsyncInboxes.remove(instance)
        inbox.close()
    }

    /// Prepares for a callback.
    func begin(
        _ batch: UnsafePointer<apus_batch>? = nil,
        from first: Int = 0,
        watermark: Int64,
        now: Int64
    ) {
        for output in outputs { output.begin(input: batch) }
        context.pointee.at = UInt32(truncatingIfNeeded: first)
        context.pointee.watermark_us = watermark
        context.pointee.now_us = now
        error.pointee.code = 0
        error.pointee.len = 0
    }

    /// What the plugin wrote behind the end of; nil when nothing.
    func damage(in callback: String) -> PluginError? {
        for (port, output) in outputs.enumerated() where !output.isIntact {
            output.discard()
            return broken(callback, "wrote behind the end of output \(port)")
        }
        return nil
    }

    /// The plugin's own words for what happened.
    var message: String? { CallSite.message(of: error) }

    func broken(_ callback: String, _ what: String) -> PluginError {
        PluginError(.failed, "\(owner), \(callback)", "broke the contract: it \(what)")
    }

    func failure(_ callback: String, _ code: Int32) -> PluginError {
        PluginError(.failed, "\(owner), \(callback)", CallSite.reason(of: code, error))
    }
}

extension CallSite {
    /// What a code that is no success means, in words.
    static func reason(of code: Int32, _ error: UnsafeMutablePointer<apus_error>) -> String {
        let message = message(of: error)
        return switch code {
        case APUS_EXCEPTION: "threw an exception: \(message ?? "without a text")"
        case APUS_FATAL, APUS_CONFIG, APUS_UNSUPPORTED, APUS_STALE, APUS_LIMIT, APUS_RETRY,
            APUS_INCOMPATIBLE, APUS_TIMED_OUT, APUS_RECORD, APUS_READ_ONLY:
            message ?? "failed with code \(code) and no message"
        default:
            "returned \(code), which is not a result that the ABI knows here"
                + (message.map { ": \($0)" } ?? "")
        }
    }
}

extension InstanceArguments {
    /// Has a component make an instance.
    ///
    /// - Returns: Why it did not; nil for success.
    fileprivate func create(
        _ component: UnsafePointer<apus_component>,
        instance: UInt64,
        site: CallSite,
        _ object: inout UnsafeMutableRawPointer?
    ) -> (code: PluginError.Code, message: String)? {
        var made: UnsafeMutableRawPointer?
        var created = CallSite.emptyError
        let texts = [configuration, job, operatorID].map { Array($0.utf8) }
        // SAFETY: the arguments and what they point to live until create has returned.
        let code = texts[0].withUnsafeBytes { configuration in
            texts[1].withUnsafeBytes { job in
                texts[2].withUnsafeBytes { operatorID in
                    var values = apus_args(
                        size: UInt32(MemoryLayout<apus_args>.size),
                        subtask: UInt32(subtask),
                        parallelism: UInt32(parallelism),
                        max_parallelism: UInt32(groups.count),
                        config: apus_bytes(configuration),
                        job: Self.text(job),
                        operator_id: Self.text(operatorID),
                        instance: instance
                    )
                    return apus_guard_create(site.pointer, component, &values, &made, &created)
                }
            }
        }
        guard code == APUS_OK else {
            return (
                code == APUS_CONFIG ? .badConfiguration : .failed,
                CallSite.reason(of: code, &created)
            )
        }
        object = made
        return nil
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> apus_str {
        apus_str(
            data: bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
            len: UInt64(bytes.count)
        )
    }
}

extension apus_bytes {
    /// Shows bytes to a plugin; never NULL, because that would mean something else.
    init(_ bytes: UnsafeRawBufferPointer) {
        // SAFETY: of no bytes nothing is read, wherever the pointer leads.
        let start = bytes.baseAddress ?? UnsafeRawPointer(ContextTables.state)
        self.init(data: start.assumingMemoryBound(to: UInt8.self), len: UInt64(bytes.count))
    }
}
