import ApusCore
import ApusMemory
import ApusPluginHost
import CApusPlugin

/// Asynchronous calls of an operator; see docs/decisions/2026-11-28-asynchronous-calls.md.
extension OperatorStage {
    /// How many calls one callback delivers.
    private static let deliveryCountMax = 1024

    // MARK: - What comes in

    /// Processes a batch in portions for which there are places.
    func process(
        _ batch: RecordBatch,
        input: Int,
        with calls: AsyncCalls,
        _ gate: AsyncGate
    ) throws(JobFailure) {
        var view = batch.view(input: UInt32(truncatingIfNeeded: input), isKeyed: isKeyed)
        if isReplayAgain { view.flags = APUS_BATCH_AGAIN }
        var at = 0
        while at < batch.count {
            try deliver(calls, gate)
            if calls.freeCount == 0 { try waitForCalls(calls, gate) }
            if isAborted { return }
            let freeCount = calls.freeCount
            view.count = UInt32(min(batch.count, at + freeCount))
            let before = at
            // SAFETY: the plugin may use the view during the call only; the batch outlives it.
            let outcome = withUnsafePointer(to: &view) {
                instance.process(
                    $0,
                    from: at,
                    watermark: appliedWatermark,
                    nowMicroseconds: clock.wallMicroseconds()
                )
            }
            gate.add(calls.takeBegun())
            at = try settle(outcome, batch, count: Int(view.count))
            try fireOverdue()
            guard at == before, calls.wasRefused else { continue }
            // The record wants more places than were free.
            guard freeCount < calls.settings.capacity else { throw tooManyCalls(calls) }
            try waitForCalls(calls, gate)
        }
    }

    private func tooManyCalls(_ calls: AsyncCalls) -> JobFailure {
        JobFailure(
            .plugin,
            node: node,
            "begins more calls for one record than the capacity of \(calls.settings.capacity); "
                + "raise `async: {capacity: }` in the job file"
        )
    }

    /// Waits until a call is done, and delivers what may leave.
    private func waitForCalls(_ calls: AsyncCalls, _ gate: AsyncGate) throws(JobFailure) {
        let free = calls.freeCount
        while calls.freeCount == free, !isAborted {
            try thread.wait(writerIndex: nodeIndex) {
                hasArrivals || calls.nextTime <= clock.wallMicroseconds()
            }
            try deliver(calls, gate)
        }
    }

    // MARK: - Delivery

    /// Delivers what is done and may leave, and lets event time follow.
    ///
    /// - Returns: Whether there was anything.
    @discardableResult
    func deliver(_ calls: AsyncCalls, _ gate: AsyncGate) throws(JobFailure) -> Bool {
        let now = clock.wallMicroseconds()
        var dueAgain: [AsyncCall] = []
        var timedOut: [AsyncCall] = []
        let events = calls.takeCompleted { settle($0, calls, gate, now) }
        calls.takeDue(now: now) {
            timedOut.append($0)
        } again: {
            dueAgain.append($0)
        }
        for call in timedOut {
            instance.cancel(call)
            settle(call, calls, gate, now)
        }
        for call in dueAgain { try beginAgain(call, calls, gate) }
        var worked = !events.isEmpty || !dueAgain.isEmpty
        while !isAborted {
            let ready = gate.takeReady(Self.deliveryCountMax)
            if !ready.isEmpty {
                try deliver(ready)
                for call in ready { calls.free(call) }
                gate.delivered(ready.count)
                worked = true
            } else if let mark = gate.takeMark() {
                try apply(mark)
                worked = true
            } else {
                break
            }
        }
        for event in events where !isAborted { try tell(event) }
        return worked
    }

    /// Decides what becomes of a call that is done: it is ready, or it is begun again later.
    private func settle(
        _ call: AsyncCall,
        _ calls: AsyncCalls,
        _ gate: AsyncGate,
        _ now: Int64
    ) {
        if call.status < 0, call.retryCount < calls.settings.retryCount {
            calls.wait(call, until: now &+ calls.settings.retryDelayMicroseconds)
        } else {
            gate.note(call)
        }
    }

    private func beginAgain(
        _ call: AsyncCall,
        _ calls: AsyncCalls,
        _ gate: AsyncGate
    ) throws(JobFailure) {
        let hasBegun = try calls.beginAgain(call) { () throws(JobFailure) in
            var view = call.record.view(
                input: UInt32(truncatingIfNeeded: call.input),
                isKeyed: isKeyed
            )
            view.flags = APUS_BATCH_AGAIN
            // SAFETY: the plugin may use the view during the call only; the place outlives it.
            let outcome = withUnsafePointer(to: &view) {
                instance.process(
                    $0,
                    from: 0,
                    watermark: appliedWatermark,
                    nowMicroseconds: clock.wallMicroseconds()
                )
            }
            gate.add(calls.takeBegun())
            _ = try settle(outcome, call.record, count: 1)
        }
        guard !hasBegun else { return }
        // The plugin has found another way: there is nothing to wait for.
        call.status = APUS_OK
        call.phase = .done
        gate.note(call)
    }

    private func deliver(_ ready: [AsyncCall]) throws(JobFailure) {
        guard instance.hasOnAsync else { return try emit(ready) }
        let records = RecordBatch(recordCapacity: ready.count, arenaCapacity: 64 * ready.count)
        for call in ready { append(call.record, to: records) }
        var at = 0
        while at < ready.count {
            let outcome = instance.onAsync(
                ready,
                records,
                from: at,
                watermark: appliedWatermark,
                nowMicroseconds: clock.wallMicroseconds()
            )
            at = try settle(outcome, records, count: ready.count)
            try fireOverdue()
        }
    }

    private func append(_ record: RecordBatch, to records: RecordBatch) {
        let index = records.count
        let isAppended = records.append(
            key: record.bytes(of: record.keys),
            value: record.bytes(of: record.values),
            time: record.times[0]
        )
        precondition(isAppended, "2 GiB of records are not under way in one callback")
        records.hashes[index] = record.hashes[0]
        records.kinds[index] = record.kinds[0]
    }

    /// Emits the results of calls as they are.
    private func emit(_ ready: [AsyncCall]) throws(JobFailure) {
        let emission = AsyncEmission(portCount: ports.count)
        for call in ready {
            guard call.status >= 0 else {
                try emission.send(to: ports, counters)
                try give(up: call)
                continue
            }
            guard let results = call.results?.records else { continue }
            for result in results where !emission.append(result, of: call.record) {
                try emission.send(to: ports, counters)
                guard emission.append(result, of: call.record) else {
                    preconditionFailure("an empty batch takes a result of less than 2 GiB")
                }
            }
        }
        try emission.send(to: ports, counters)
    }

    /// A call has failed for good, and the plugin does not look at it.
    private func give(up call: AsyncCall) throws(JobFailure) {
        let attempts = call.retryCount + 1
        let said = call.results?.records.first.map {
            String(
                decoding: UnsafeBufferPointer(start: $0.value.data, count: Int($0.value.len)),
                as: UTF8.self
            )
        }
        let what =
            call.status == APUS_TIMED_OUT
            ? "the call was not completed in time" : "the call failed with code \(call.status)"
        let reason =
            what + (said.map { $0.isEmpty ? "" : ": \($0)" } ?? "")
            + " (\(attempts) attempt\(attempts == 1 ? "" : "s"))"
        guard instance.calls?.settings.rejectsFailures ?? false else {
            throw JobFailure(
                .plugin,
                node: node,
                "\(reason); set its record aside with `async: {on-failure: dead-letter}`, or "
                    + "raise `timeout` or `retries`"
            )
        }
        try reject(call.record.rejected(0, reason: reason))
    }

    private func tell(_ event: UInt64) throws(JobFailure) {
        let outcome = instance.onEvent(
            event,
            watermark: appliedWatermark,
            nowMicroseconds: clock.wallMicroseconds()
        )
        try conclude(outcome)
    }

    // MARK: - Time

    private func apply(_ mark: AsyncGate.Mark) throws(JobFailure) {
        switch mark {
        case .watermark(let time): try applyWatermark(time)
        case .idle: for port in ports { try port.sendIdle() }
        }
    }

    // MARK: - Checkpoints and the end

    /// Logs the records whose calls are under way, or are done and held back.
    func logCalls(
        _ makeLog: () throws(DiskError) -> InFlightLog
    ) throws(DiskError) {
        guard let calls = instance.calls, let gate, !calls.isEmpty else { return }
        let log = try makeLog()
        for call in gate.undelivered(among: calls.taken) {
            try log.append(call.record, input: call.input, isAgain: true)
        }
    }

    /// Waits until all calls are done, or gives them up when what they bring must not be seen.
    func finishCalls(_ calls: AsyncCalls, _ gate: AsyncGate) throws(JobFailure) {
        try deliver(calls, gate)
        while !gate.isEmpty, !isAborted, !isPastLastBarrier {
            try waitForCalls(calls, gate)
        }
        giveUpCalls()
    }

    /// Tells the plugin that nobody waits for its calls any more.
    func giveUpCalls() {
        instance.calls?.giveUpAll { instance.cancel($0) }
        gate?.forgetCalls()
    }
}
