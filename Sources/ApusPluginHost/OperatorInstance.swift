import ApusCore
package import ApusMemory
package import ApusState
import ApusStore
import CApusGuard
package import CApusPlugin

/// An operator of a plugin at work: the plugin's instance, its context, state and outputs.
///
/// Created on the control thread, then used by one task thread alone.  All calls go through the
/// guard; results are checked, so that a plugin that breaks the contract ends as an error.
package final class OperatorInstance {
    private let component: UnsafePointer<apus_component>
    let functions: UnsafePointer<apus_operator_vt>
    /// As much of `functions` as the plugin has; NULL for what it is too old for.
    let table: apus_operator_vt
    let context: UnsafeMutablePointer<apus_ctx>
    private let error: UnsafeMutablePointer<apus_error>
    private let outs: UnsafeMutablePointer<UnsafeMutablePointer<apus_out>?>
    private let counterCells: UnsafeMutablePointer<UInt64>
    private let histogramCells: UnsafeMutablePointer<UInt64>
    let site: CallSite
    /// Keeps the plugin loaded until the instance is destroyed.
    private let use: PluginUse
    let owner: String
    private let instance: UInt64
    private(set) var object: UnsafeMutableRawPointer?
    /// Whether create has succeeded, and destroy is still to be called; `object` may be NULL.
    private var isCreated = false
    private var idleCallCount = 0

    /// What the component says of itself.
    package let description: ComponentDescription
    /// The outputs, the main one first.
    package let outputs: [OutputBuilder]
    /// State and timers; nil for an operator without keys.
    package let state: KeyedState?
    /// Broadcast state; nil for an operator that declares none.
    package let broadcasts: BroadcastState?
    /// Operator state; nil for an operator that declares none.
    package let operatorState: OperatorStateLists?
    /// Asynchronous calls; nil for an operator that makes none.
    package let calls: AsyncCalls?
    /// How much the plugin keeps of the records that it has had.
    let retained = RetainQuota()
    /// State of the plugin's own kind; nil for an operator that has none.
    private var snapshot: PrivateSnapshot?
    var savedSnapshot: PrivateSnapshot.Saved?

    /// The state functions; never freed, plugins may call them as long as they run.
    ///
    /// `nonisolated(unsafe)` because the table is written once, here, and only read after that.
    nonisolated(unsafe) private static let stateFunctions: UnsafePointer<apus_state_api> = {
        let table = UnsafeMutablePointer<apus_state_api>.allocate(capacity: 1)
        table.initialize(to: StateInterface.makeStateFunctions())
        return UnsafePointer(table)
    }()
    /// The functions of broadcast state, likewise.
    ///
    /// `nonisolated(unsafe)` because the table is written once, here, and only read after that.
    nonisolated(unsafe) private static let broadcastFunctions: UnsafePointer<apus_broadcast_api> = {
        let table = UnsafeMutablePointer<apus_broadcast_api>.allocate(capacity: 1)
        table.initialize(to: BroadcastInterface.makeFunctions())
        return UnsafePointer(table)
    }()
    /// The functions of operator state, likewise.
    ///
    /// `nonisolated(unsafe)` because the table is written once, here, and only read after that.
    nonisolated(unsafe) private static let operatorStateFunctions:
        UnsafePointer<apus_operator_state_api> = {
            let table = UnsafeMutablePointer<apus_operator_state_api>.allocate(capacity: 1)
            table.initialize(to: OperatorStateInterface.makeFunctions())
            return UnsafePointer(table)
        }()
    /// The timer functions, likewise.
    ///
    /// `nonisolated(unsafe)` because the table is written once, here, and only read after that.
    nonisolated(unsafe) private static let timerFunctions: UnsafePointer<apus_timer_api> = {
        let table = UnsafeMutablePointer<apus_timer_api>.allocate(capacity: 1)
        table.initialize(to: StateInterface.makeTimerFunctions())
        return UnsafePointer(table)
    }()

    /// Creates an instance of a component.
    ///
    /// - Throws: ``PluginError`` with code `badConfiguration` when the plugin refuses its
    ///   configuration, `failed` when it throws or breaks the contract.
    package init(
        plugin: LoadedPlugin,
        component index: Int,
        arguments: InstanceArguments
    ) throws(PluginError) {
        use = try plugin.use(by: arguments.operatorID)
        description = plugin.description.components[index]
        component = plugin.components[index]
        guard let table = component.pointee.vt?.assumingMemoryBound(to: apus_operator_vt.self)
        else {
            throw PluginError(.badDescription, plugin.file, "component \(index) has no vt")
        }
        functions = table
        self.table = DescriptionReader.copy(
            table,
            size: table.pointee.size,
            apus_operator_vt()
        )
        owner =
            "plugin \(plugin.description.id) \(plugin.description.version), operator "
            + "\(arguments.operatorID), subtask \(arguments.subtask)"
        site = CallSite(owner, content: plugin.contentHash)
        instance = PluginLog.register(owner)
        SecretRegistry.register(instance, arguments.secrets)
        savedSnapshot = arguments.snapshot
        state = arguments.inherited?.keyed ?? Self.makeKeyed(description, arguments)
        broadcasts =
            arguments.inherited?.broadcasts ?? Self.makeBroadcasts(description, arguments)
        operatorState = Self.makeOperatorState(description, arguments)
        calls =
            description.isAsynchronous
            ? AsyncCalls(arguments.async, outputCount: description.outputs.count) : nil
        outputs = description.outputs.indices.map {
            OutputBuilder(
                port: UInt32($0),
                recordCapacity: arguments.recordsPerBatch,
                arenaCapacity: 256 << 10
            )
        }
        // SAFETY: freed in deinit, after the plugin's instance, which alone gets these pointers.
        context = .allocate(capacity: 1)
        error = .allocate(capacity: 1)
        error.initialize(to: CallSite.emptyError)
        outs = .allocate(capacity: outputs.count)
        for (index, output) in outputs.enumerated() { (outs + index).initialize(to: output.out) }
        counterCells = .allocate(capacity: max(1, description.counters.count))
        counterCells.initialize(repeating: 0, count: max(1, description.counters.count))
        let cellCount = description.histograms.count * Int(APUS_HISTOGRAM_CELLS)
        histogramCells = .allocate(capacity: max(1, cellCount))
        histogramCells.initialize(repeating: 0, count: max(1, cellCount))
        context.initialize(to: apus_ctx())
        snapshot = PrivateSnapshot(component, description, site: site, owner: owner)
        prepareContext()
        ThreadCheck.add(site.pointer, instance)
        // Before create, which may start a thread that completes and posts.
        if let calls { AsyncInboxes.add(calls.inbox, instance) }
        try create(arguments)
    }

    deinit {
        destroy()
        site.release()
        ThreadCheck.remove(instance)
        SecretRegistry.unregister(instance)
        PluginLog.unregister(instance)
        context.deallocate()
        error.deallocate()
        outs.deallocate()
        counterCells.deallocate()
        histogramCells.deallocate()
    }

    /// Shows the plugin's context, as checks of the contract need it.
    ///
    /// Between callbacks, on the instance's thread.
    package func withContext(_ body: (UnsafeMutablePointer<apus_ctx>) -> Void) { body(context) }

    /// The value of each declared counter.
    ///
    /// Behind them, of each histogram: `NAME_count`, how many values it has had, and `NAME_sum`.
    package var counters: [(name: String, value: UInt64)] {
        let counted = description.counters.enumerated().map { ($1.name, counterCells[$0]) }
        let observed = histograms.flatMap { name, cells in
            [
                ("\(name)_count", cells.dropLast().reduce(0, &+)),
                ("\(name)_sum", cells[cells.count - 1]),
            ]
        }
        return counted + observed
    }

    /// The cells of each declared histogram; see apus/context.h.
    package var histograms: [(name: String, cells: [UInt64])] {
        description.histograms.enumerated().map { index, name in
            let count = Int(APUS_HISTOGRAM_CELLS)
            let first = histogramCells + index * count
            return (name, Array(UnsafeBufferPointer(start: first, count: count)))
        }
    }

    /// Refuses completions and events from now on.
    private func closeInbox() {
        guard let calls else { return }
        AsyncInboxes.remove(instance)
        calls.inbox.close()
    }

    private func prepareContext() {
        context.pointee.size = UInt32(MemoryLayout<apus_ctx>.size)
        context.pointee.out_count = UInt32(outputs.count)
        context.pointee.outs = UnsafePointer(outs)
        context.pointee.state = Self.stateFunctions
        context.pointee.timers = Self.timerFunctions
        context.pointee.host_private = state.map { Unmanaged.passUnretained($0).toOpaque() }
        context.pointee.instance = instance
        context.pointee.watermark_us = .min
        site.attach(context)
        context.pointee.counters = counterCells
        context.pointee.error = error
        context.pointee.broadcast = Self.broadcastFunctions
        context.pointee.broadcast_private = broadcasts.map {
            Unmanaged.passUnretained($0).toOpaque()
        }
        context.pointee.operator_state = Self.operatorStateFunctions
        context.pointee.operator_state_private = operatorState.map {
            Unmanaged.passUnretained($0).toOpaque()
        }
        context.pointee.instance_private = Unmanaged.passUnretained(self).toOpaque()
        context.pointee.histograms = histogramCells
        context.pointee.histogram_count = UInt32(description.histograms.count)
    }

    private func create(_ arguments: InstanceArguments) throws(PluginError) {
        var object: UnsafeMutableRawPointer?
        var created = CallSite.emptyError
        let configuration = Array(arguments.configuration.utf8)
        let job = Array(arguments.job.utf8)
        let operatorID = Array(arguments.operatorID.utf8)
        // SAFETY: the arguments and what they point to live until create has returned.
        let code = configuration.withUnsafeBufferPointer { configuration in
            job.withUnsafeBytes { job in
                operatorID.withUnsafeBytes { operatorID in
                    var values = apus_args(
                        size: UInt32(MemoryLayout<apus_args>.size),
                        subtask: UInt32(arguments.subtask),
                        parallelism: UInt32(arguments.parallelism),
                        max_parallelism: UInt32(arguments.groups.count),
                        config: apus_bytes(
                            data: configuration.baseAddress,
                            len: UInt64(configuration.count)
                        ),
                        job: Self.text(job),
                        operator_id: Self.text(operatorID),
                        instance: instance
                    )
                    return apus_guard_create(site.pointer, component, &values, &object, &created)
                }
            }
        }
        guard code == APUS_OK else {
            throw PluginError(
                code == APUS_CONFIG ? .badConfiguration : .failed,
                "\(owner), create",
                Self.reason(of: code, &created)
            )
        }
        self.object = object
        isCreated = true
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> apus_str {
        apus_str(
            data: bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
            len: UInt64(bytes.count)
        )
    }

    // MARK: - Life

    /// Opens the instance.
    ///
    /// The task thread, once, before anything else. Outputs are to be drained afterwards.
    ///
    /// - Throws: ``PluginError`` when the plugin cannot begin.
    package func open(nowMicroseconds: Int64) throws(PluginError) {
        // From here on the instance runs on this thread: a stack overflow can be reported.
        apus_guard_prepare_thread()
        begin(nil, 0, .min, nowMicroseconds)
        if let saved = savedSnapshot {
            savedSnapshot = nil
            try snapshot?.load(saved, object, context)
        }
        guard functions.pointee.open != nil else { return }
        let code = apus_guard_open(site.pointer, functions, object, context)
        guard code == APUS_OK else { throw failure("open", code) }
    }

    /// Has the plugin write its private snapshot into the operator state that holds it.
    ///
    /// The task thread, between two callbacks, when a snapshot begins.
    ///
    /// - Throws: ``PluginError`` when the plugin cannot, or writes too much.
    package func savePrivateSnapshot(nowMicroseconds: Int64) throws(PluginError) {
        guard let snapshot, let operatorState else { return }
        begin(nil, 0, context.pointee.watermark_us, nowMicroseconds)
        let bytes = try snapshot.save(object, context)
        for output in outputs { output.discard() }
        operatorState.replaceLast(with: bytes)
    }

    /// Closes the instance.
    ///
    /// The task thread, once, after the last callback. Outputs are to be drained afterwards.
    ///
    /// - Throws: ``PluginError`` when the plugin throws.
    package func close(watermark: Int64, nowMicroseconds: Int64) throws(PluginError) {
        defer { closeInbox() }
        guard functions.pointee.close != nil else { return }
        begin(nil, 0, watermark, nowMicroseconds)
        let code = apus_guard_close(site.pointer, functions, object, context)
        guard code == APUS_OK else { throw failure("close", code) }
    }

    /// Destroys the plugin's instance; nothing else may be called afterwards.
    ///
    /// The control thread, after the task thread has ended.  Once; later calls do nothing.
    package func destroy() {
        closeInbox()
        guard isCreated else { return }
        isCreated = false
        apus_guard_destroy(site.pointer, component, object)
    }

    /// Tells a callback that runs to return soon.
    ///
    /// Any thread.
    package func requestStop() { apus_guard_request_stop(site.pointer) }

    // MARK: - Callbacks

    /// Has the plugin handle records from `first` on.
    ///
    /// Outputs are to be drained afterwards.
    ///
    /// - Parameters:
    ///   - batch: The records.
    ///   - first: The first one to handle.
    ///   - watermark: The operator's watermark.
    ///   - nowMicroseconds: Processing time, for the context.
    /// - Returns: How far it came.
    package func process(
        _ batch: UnsafePointer<apus_batch>,
        from first: Int,
        watermark: Int64,
        nowMicroseconds: Int64
    ) -> CallOutcome {
        guard let calls else {
            return handle("process", batch, from: first, watermark, nowMicroseconds) {
                apus_guard_process(site.pointer, functions, object, context, batch)
            }
        }
        calls.beginProcess(batch, now: nowMicroseconds)
        defer { calls.endProcess() }
        return handle("process", batch, from: first, watermark, nowMicroseconds) {
            apus_guard_process(site.pointer, functions, object, context, batch)
        }
    }

    /// Makes a call with records in hand, whose state can be used.
    @inline(__always)
    func handle(
        _ callback: String,
        _ batch: UnsafePointer<apus_batch>,
        from first: Int,
        _ watermark: Int64,
        _ nowMicroseconds: Int64,
        _ call: () -> Int32
    ) -> CallOutcome {
        begin(batch, first, watermark, nowMicroseconds)
        state?.begin(batch, from: first)
        if let failure = stateFailure() { return abandon(failure) }
        let code = call()
        state?.end()
        if let failure = stateFailure() { return abandon(failure) }
        return outcome(of: code, callback, first, Int(batch.pointee.count))
    }

    /// Has the plugin handle records of a broadcast input from `first` on.
    ///
    /// Outputs are to be drained afterwards.  As ``process(_:from:watermark:nowMicroseconds:)``.
    package func processBroadcast(
        _ batch: UnsafePointer<apus_batch>,
        from first: Int,
        watermark: Int64,
        nowMicroseconds: Int64
    ) -> CallOutcome {
        begin(batch, first, watermark, nowMicroseconds)
        // SAFETY: the description says that the table has the function; see DescriptionReader.
        broadcasts?.isWritable = true
        let code = apus_guard_process_broadcast(site.pointer, functions, object, context, batch)
        broadcasts?.isWritable = false
        return outcome(of: code, "process_broadcast", first, Int(batch.pointee.count))
    }

    /// Has the plugin handle timers from `first` on.
    ///
    /// Outputs are to be drained afterwards.
    package func onTimers(
        _ timers: TimerBatch,
        domain: KeyedState.TimerDomain,
        from first: Int,
        watermark: Int64,
        nowMicroseconds: Int64
    ) -> CallOutcome {
        var view = timers.records.view(input: 0, isKeyed: true)
        return withUnsafePointer(to: &view) { view in
            begin(view, first, watermark, nowMicroseconds)
            state?.begin(timers, view)
            if let failure = stateFailure() { return abandon(failure) }
            var list = apus_timers(
                size: UInt32(MemoryLayout<apus_timers>.size),
                domain: UInt32(
                    bitPattern: domain == .event ? APUS_EVENT_TIME : APUS_PROCESSING_TIME
                ),
                batch: view,
                timer: UnsafePointer(timers.names),
                id: UnsafePointer(timers.ids)
            )
            let code = apus_guard_on_timers(site.pointer, functions, object, context, &list)
            state?.end()
            if let failure = stateFailure() { return abandon(failure) }
            return outcome(of: code, "on_timers", first, timers.count)
        }
    }

    /// Tells the plugin of a watermark.
    ///
    /// Outputs are to be drained afterwards.
    package func onWatermark(_ watermark: Int64, nowMicroseconds: Int64) -> CallOutcome {
        guard functions.pointee.on_watermark != nil else {
            return stateFailure().map { .failed($0) } ?? .done
        }
        return inform("on_watermark", watermark, nowMicroseconds) {
            apus_guard_on_watermark(site.pointer, functions, object, context, watermark)
        }
    }

    /// Makes a call without records.
    func inform(
        _ callback: String,
        _ watermark: Int64,
        _ nowMicroseconds: Int64,
        _ call: () -> Int32
    ) -> CallOutcome {
        if let failure = stateFailure() { return .failed(failure) }
        begin(nil, 0, watermark, nowMicroseconds)
        let code = call()
        guard code == APUS_OK else { return .failed(failure(callback, code)) }
        return .done
    }

    private func begin(
        _ batch: UnsafePointer<apus_batch>?,
        _ first: Int,
        _ watermark: Int64,
        _ now: Int64
    ) {
        for output in outputs { output.begin(input: batch) }
        state?.setTime(microseconds: now, watermark: watermark)
        context.pointee.at = UInt32(truncatingIfNeeded: first)
        context.pointee.watermark_us = watermark
        context.pointee.now_us = now
        error.pointee.code = 0
        error.pointee.len = 0
    }

    /// What the database of the state failed with: the plugin would see keys without their state.
    private func stateFailure() -> PluginError? {
        guard let failure = state?.failure else { return nil }
        return PluginError(.stateUnreadable, "\(owner), state", failure.description)
    }

    /// Drops what the callback in hand wrote.
    private func abandon(_ failure: PluginError) -> CallOutcome {
        state?.end()
        for output in outputs { output.discard() }
        return .failed(failure)
    }

    private func outcome(
        of code: Int32,
        _ callback: String,
        _ first: Int,
        _ count: Int
    ) -> CallOutcome {
        guard apus_guard_check_return(error) == APUS_OK else {
            for output in outputs { output.discard() }
            return .failed(failure(callback, APUS_FATAL))
        }
        for (port, output) in outputs.enumerated() where !output.isIntact {
            output.discard()
            return .failed(broken(callback, "wrote behind the end of output \(port)"))
        }
        if code == APUS_OK {
            idleCallCount = 0
            return .done
        }
        let at = Int(context.pointee.at)
        switch code {
        case APUS_YIELD, APUS_LIMIT:
            guard (first...count).contains(at) else {
                return .failed(broken(callback, "stopped at record \(at) of \(first)..<\(count)"))
            }
            // Without a free place for a call it can do nothing but wait for one.
            let waits = calls?.wasRefused ?? false
            let isIdle = at == first && !waits && outputs.allSatisfy(\.isEmpty)
            idleCallCount = isIdle ? idleCallCount + 1 : 0
            guard idleCallCount < 3 else {
                return .failed(
                    broken(callback, "yielded three times without progress at record \(at)")
                )
            }
            return at == count ? .done : .again(at: at)
        case APUS_RECORD:
            guard (first..<count).contains(at) else {
                return .failed(broken(callback, "reported record \(at) of \(first)..<\(count)"))
            }
            idleCallCount = 0
            return .badRecord(at: at, reason: CallSite.message(of: error) ?? "no reason given")
        default:
            return .failed(failure(callback, code))
        }
    }

    private func broken(_ callback: String, _ what: String) -> PluginError {
        PluginError(.failed, "\(owner), \(callback)", "broke the contract: it \(what)")
    }

    private func failure(_ callback: String, _ code: Int32) -> PluginError {
        PluginError(.failed, "\(owner), \(callback)", Self.reason(of: code, error))
    }

    /// What a code that is no success means, in words.
    private static func reason(
        of code: Int32,
        _ error: UnsafeMutablePointer<apus_error>
    ) -> String {
        let message = CallSite.message(of: error)
        return switch code {
        case APUS_EXCEPTION: "threw an exception: \(message ?? "without a text")"
        case APUS_READ_ONLY:
            message ?? "wrote broadcast state outside of process_broadcast"
        case APUS_FATAL, APUS_CONFIG, APUS_UNSUPPORTED, APUS_STALE:
            message ?? "failed with code \(code) and no message"
        default:
            "returned \(code), which is not a result that the ABI knows"
                + (message.map { ": \($0)" } ?? "")
        }
    }
}
