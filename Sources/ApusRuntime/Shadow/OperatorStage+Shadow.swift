import ApusCore
import ApusMemory
import ApusPluginHost
import ApusState

/// A new version runs beside the operator, as a shadow in another process.
extension OperatorStage {
    /// Begins with a shadow that was asked for; between two batches.
    func considerShadow() throws(JobFailure) {
        guard let feed = swaps.takeShadow() else { return }
        guard isOpen, !isPastLastBarrier else { return feed.close() }
        var fork = ShadowFork()
        fork.watermark = appliedWatermark
        fork.broadcasts = instance.broadcasts?.contents ?? []
        if instance.description.snapshotVersion != nil {
            try savePrivateSnapshot()
            fork.snapshot = instance.operatorState?.lastItem
        }
        fork.operatorState = instance.operatorState?.contents ?? []
        shadow = ShadowTap(feed, isKeyed: isKeyed, fork: fork)
    }

    /// Handles records as ever, and tells the shadow.
    func processTapped(_ received: RecordBatch, input: Int) throws(JobFailure) {
        guard let shadow, !shadow.isOver else {
            endShadow()
            return try processUntapped(received, input: input)
        }
        shadow.begin(.records, watermark: appliedWatermark)
        defer { shadow.end() }
        let state = input < mainInputCount ? instance.state : nil
        shadow.note(received, input: input, state: state)
        try processUntapped(received, input: input)
    }

    /// Copies keys with timers, or forgets a shadow that is over; between two batches.
    func tendShadow() {
        guard let shadow else { return }
        if shadow.isOver { return endShadow() }
        if let state = instance.state {
            shadow.walkOn(state, now: clock.wallMicroseconds())
        }
    }

    /// Tells the shadow nothing more.
    func endShadow() {
        shadow?.close()
        shadow = nil
    }
}
