import ApusCore
import ApusMemory

/// How a stage takes part in a checkpoint.
///
/// A stage with one channel takes its snapshot when the barrier comes.  One with several keeps what
/// comes behind the barrier until all channels have brought it.  It never stops reading a channel.
/// That is why nothing can lock up: whoever waits for room in a channel waits for a thread that
/// reads, and a thread that waits so runs all its own readers behind the writer (see
/// `TaskThread.relieve`); had one of them to stop reading, the writer in front of it would wait for
/// a
/// barrier that may be behind the very batch that it cannot send.  What is kept is bounded: beyond
/// ``ThreadCheckpoints/stashByteCountMax``, or when it takes too long, the stage takes its snapshot
/// without the rest and logs what the barrier has overtaken.
///
/// Nothing here is called while the stage is in a call: readers that a waiting writer runs have
/// higher indices than the writer, and a stage's channels and callers have lower ones.
extension Stage {
    // MARK: - What comes in

    final func receiveBarrier(_ barrier: UInt64, channel: Int) throws(JobFailure) {
        guard let alignment else {
            preconditionFailure("barriers come only with checkpoints")
        }
        if isAborted { return }
        alignment.note(barrier, channel: channel)
        // An old one is of an attempt that was abandoned before it came this far.
        if barrier < alignment.number { return }
        if barrier > alignment.number { try begin(barrier) }
        try complete()
        if let checkpoints { try stopWaitingIfLate(checkpoints.clock.monotonicNanoseconds()) }
    }

    private func begin(_ barrier: UInt64) throws(JobFailure) {
        guard let alignment, let checkpoints else { return }
        // Another attempt while this one waits: the older one was abandoned.
        alignment.log?.abandon()
        alignment.end()
        try release()
        alignment.begin(barrier, now: checkpoints.clock.monotonicNanoseconds())
        guard !alignment.isComplete else { return }
        isDiverting = true
        if checkpoints.alignmentTimeout == 0, mayOvertake { try stopWaiting() }
    }

    private func complete() throws(JobFailure) {
        guard let alignment, alignment.isComplete else { return }
        switch alignment.phase {
        case .passing:
            return
        case .aligning:
            alignment.end()
            Failpoint.hit(.c4)
            try cut(alignment.number)
            try release()
        case .logging:
            finishLog()
        }
    }

    /// Takes the snapshot, and tells those behind this stage.
    private func cut(_ barrier: UInt64) throws(JobFailure) {
        guard let alignment, let checkpoints else { return }
        alignmentNanoseconds = checkpoints.clock.monotonicNanoseconds() - alignment.startedAt
        checkpoints.meter.begin(barrier)
        isPastLastBarrier = isPastLastBarrier || isLast(barrier)
        try checkpoints.measure { () throws(JobFailure) in try takeSnapshot(barrier) }
        checkpoints.measure { logUndone(barrier) }
        Failpoint.hit(.c5)
        cutNumber = barrier
        reportIfDone()
        if !isFinished { try sendBarrier(barrier) }
        if isSwapCut(barrier), !isFinished { try passSwapBarrier() }
    }

    /// Processes what has waited for the barrier.
    private func release() throws(JobFailure) {
        guard let alignment else { return }
        isDiverting = alignment.phase == .logging
        for entry in alignment.stash.take() {
            if isAborted { return }
            switch entry {
            case .batch(let batch, let input, let channel):
                try accept(batch, input: input, channel: channel)
            case .watermark(let time, let channel): try acceptWatermark(time, channel: channel)
            case .idle(let channel): try acceptIdle(channel: channel)
            case .end(let channel): try acceptEnd(channel: channel)
            }
        }
    }

    /// Notes the end of a channel: it counts as the barrier, but for what it still changes here.
    final func noteEnd(channel: Int) throws(JobFailure) {
        guard let alignment else { return }
        alignment.noteEnd(channel: channel)
        // Before the stage itself ends.
        if case .logging = alignment.phase { try complete() }
    }

    final func completeAfterEnd() throws(JobFailure) {
        guard let alignment, case .aligning = alignment.phase else { return }
        if isAborted { return }
        try complete()
    }

    // MARK: - While a barrier is under way

    /// Keeps or logs a batch that comes while a barrier is under way.
    ///
    /// - Returns: Whether it waits, and is not to be processed now.
    final func divert(
        _ batch: RecordBatch,
        input: Int,
        channel: Int
    ) throws(JobFailure) -> Bool {
        guard let alignment, let checkpoints else { return false }
        let hasPassed = alignment.hasPassed(channel)
        switch alignment.phase {
        case .passing:
            return false
        case .aligning:
            guard hasPassed else { return false }
            alignment.stash.add(batch, input: input, channel: channel)
            if alignment.stash.byteCount > ThreadCheckpoints.stashByteCountMax {
                if mayOvertake { try stopWaiting() } else { try giveUp() }
            } else {
                try stopWaitingIfLate(checkpoints.clock.monotonicNanoseconds())
            }
            return true
        case .logging:
            if !hasPassed { log(batch, input: input) }
            return false
        }
    }

    /// Keeps a message without records that comes behind the barrier.
    ///
    /// - Returns: Whether it waits.
    final func divert(_ entry: BarrierStash.Entry, channel: Int) -> Bool {
        guard let alignment, case .aligning = alignment.phase, alignment.hasPassed(channel) else {
            return false
        }
        alignment.stash.add(entry)
        return true
    }

    /// Stops waiting for barriers when that has taken too long.
    final func stopWaitingIfLate(_ now: Int64) throws(JobFailure) {
        guard let alignment, case .aligning = alignment.phase, mayOvertake,
            let timeout = checkpoints?.alignmentTimeout, now &- alignment.startedAt >= timeout
        else { return }
        try stopWaiting()
    }

    /// Whether the barrier in hand may leave records behind that came before it.
    private var mayOvertake: Bool {
        guard let alignment else { return false }
        // What was overtaken would be processed by the version behind the cut.
        return alignment.mayOvertake && !isSwapCut(alignment.number)
    }

    /// Goes on without a snapshot: what waits behind the barrier has become too much.
    private func giveUp() throws(JobFailure) {
        guard let alignment else { return }
        let reason =
            isSwapCut(alignment.number)
            ? "and operators switch to other versions behind it"
            : "on a broadcast input, which it may not overtake"
        checkpoints?.mailbox.post(
            .declined(
                alignment.number,
                "\(node)[\(subtask)]: more than "
                    + "\(ThreadCheckpoints.stashByteCountMax >> 20) MiB came behind the barrier "
                    + "while it was under way \(reason)"
            )
        )
        alignment.end()
        reportedNumber = alignment.number
        // Those behind must not wait for it.
        if !isFinished { try sendBarrier(alignment.number) }
        try release()
    }

    /// Takes the snapshot without the barriers that are missing.
    private func stopWaiting() throws(JobFailure) {
        guard let alignment else { return }
        alignment.stopWaiting()
        try cut(alignment.number)
        try release()
    }

    // MARK: - Records that the barrier has overtaken

    private func log(_ batch: RecordBatch, input: Int) {
        guard let alignment, let checkpoints, batch.count > 0 else { return }
        do throws(DiskError) {
            let log = try openLog(alignment.number, alignment, checkpoints)
            try log.append(batch, input: input)
        } catch {
            decline(error)
        }
    }

    /// The attempt's log, made when it is needed.
    private func openLog(
        _ number: UInt64,
        _ alignment: BarrierAlignment,
        _ checkpoints: ThreadCheckpoints
    ) throws(DiskError) -> InFlightLog {
        if let log = alignment.log { return log }
        let directory = checkpoints.inFlightDirectory
        let log = try InFlightLog(
            "\(directory)/\(number)-\(nodeIndex)-\(subtask).inflight",
            checkpoint: number,
            disk: checkpoints.disk
        )
        alignment.log = log
        return log
    }

    /// Logs the records that the stage has not done with: they are part of the checkpoint.
    private func logUndone(_ barrier: UInt64) {
        guard let alignment, let checkpoints else { return }
        do throws(DiskError) {
            try logUndone { () throws(DiskError) in
                try openLog(barrier, alignment, checkpoints)
            }
            if case .logging = alignment.phase { return }
            inFlight = try alignment.log?.finish()
            alignment.log = nil
        } catch {
            decline(error)
        }
    }

    private func finishLog() {
        guard let alignment else { return }
        do throws(DiskError) {
            inFlight = try alignment.log?.finish()
            alignment.end()
            isDiverting = false
            reportIfDone()
        } catch {
            decline(error)
        }
    }

    /// The attempt cannot be completed; the job goes on.
    private func decline(_ error: DiskError) {
        guard let alignment else { return }
        checkpoints?.mailbox.post(.declined(alignment.number, error.description))
        alignment.log?.abandon()
        alignment.end()
        isDiverting = false
        reportedNumber = alignment.number
    }

    // MARK: - Between batches

    /// Does what is left to do for a checkpoint, until the time is up.
    ///
    /// - Returns: Whether there was anything to do at once.
    final func advanceCheckpoint(
        _ barrier: UInt64,
        until limit: Int64
    ) throws(JobFailure) -> Bool {
        guard let alignment, let checkpoints, reportedNumber < barrier else { return false }
        if isFinished, cutNumber < barrier {
            // All its input came before the barriers: none will ever come.
            alignment.begin(barrier, now: checkpoints.clock.monotonicNanoseconds())
            try complete()
        }
        let now = checkpoints.clock.monotonicNanoseconds()
        try stopWaitingIfLate(now)
        guard isSnapshotting else {
            // Another version has taken over, and nothing was left to walk.
            reportIfDone()
            return false
        }
        if now < limit {
            checkpoints.measure { continueSnapshot(until: limit) }
            reportIfDone()
        }
        return true
    }

    /// Goes on with a snapshot while a writer of this thread waits for room.
    ///
    /// The stage may be in the middle of handing records on, but its plugin is not running.
    ///
    /// - Returns: Whether there was anything to do.
    final func continueSnapshotWhileWaiting(until limit: Int64) -> Bool {
        guard let checkpoints, isSnapshotting else { return false }
        let start = checkpoints.clock.monotonicNanoseconds()
        continueSnapshot(until: limit)
        let end = checkpoints.clock.monotonicNanoseconds()
        checkpoints.meter.addWhileWaiting(nanoseconds: end - start)
        reportIfDone()
        return true
    }

    private func reportIfDone() {
        guard let alignment, let checkpoints else { return }
        if case .logging = alignment.phase { return }
        guard reportedNumber < cutNumber, !isSnapshotting else { return }
        reportedNumber = cutNumber
        checkpoints.mailbox.post(
            .report(
                SubtaskReport(
                    number: cutNumber,
                    subtask: SubtaskID(nodeIndex: nodeIndex, node: node, subtask: subtask),
                    content: snapshotContent(),
                    inFlight: inFlight,
                    pauseNanoseconds: checkpoints.meter.longest,
                    alignmentNanoseconds: alignmentNanoseconds,
                    isUnaligned: alignment.isUnaligned
                )
            )
        )
        inFlight = nil
        Failpoint.hit(.c8)
    }
}
