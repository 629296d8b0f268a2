import ApusCore
import ApusMemory
import ApusPluginHost

/// A source of a plugin, on one subtask, as a task thread drives it.
final class PluginSource: BatchSource {
    private let node: String
    private let instance: SourceInstance
    private var splits: [SourceInstance.Split]
    /// Splits whose positions are kept although they are gone; only of subtask 0.
    private let vanished: [SourceInstance.Split]
    private let recordCountMax: Int
    private let clock: any Clock
    private let notify: @Sendable (String) -> Void
    private var pause = PluginPause()
    private var hasEnded = false
    private var isOpen = false
    /// The newest positions that were asked for.
    private var asked: [[UInt8]] = []
    /// Those of checkpoints under way, oldest first.
    private var pending: [(number: UInt64, positions: [[UInt8]])] = []

    /// What it was when the checkpoint was taken that the job goes on from; nil for none.
    let restored: SourceSnapshot?

    init(
        node: String,
        instance: SourceInstance,
        hand: SplitDealing.Hand,
        vanished: [SourceInstance.Split],
        isRestored: Bool,
        recordCountMax: Int,
        clock: any Clock,
        notify: @escaping @Sendable (String) -> Void
    ) {
        self.node = node
        self.instance = instance
        splits = hand.splits
        self.vanished = vanished
        self.recordCountMax = recordCountMax
        self.clock = clock
        self.notify = notify
        restored =
            isRestored
            ? SourceSnapshot(
                position: [],
                newestTime: hand.newestTime,
                watermark: hand.watermark,
                hasEnded: false
            ) : nil
    }

    /// Sets what wakes the task thread when the plugin posts an event; before it runs.
    func ring(_ bell: Doorbell) { instance.ring { bell.ring() } }

    func open() throws(EndpointError) {
        do throws(PluginError) {
            try instance.open(splits, nowMicroseconds: clock.wallMicroseconds())
        } catch {
            throw EndpointError(error.description)
        }
        isOpen = true
    }

    // MARK: - Records

    func poll(
        watermark: Int64,
        reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> SourceProgress {
        if splits.isEmpty || hasEnded { return .ended }
        let now = clock.monotonicNanoseconds()
        if pause.holds(at: now) { return .nothingYet }
        let poll = instance.poll(
            atMost: recordCountMax,
            watermark: watermark,
            nowMicroseconds: clock.wallMicroseconds()
        )
        if case .retry(let reason) = poll {
            if pause.begin(at: now) {
                notify("source '\(node)' waits and tries again: \(reason)")
            }
            return .nothingYet
        }
        if pause.end() { notify("source '\(node)' goes on") }
        switch poll {
        case .more: return .advanced
        case .idle, .retry: return .nothingYet
        case .ended:
            hasEnded = true
            return .ended
        case .failed(let error): throw EndpointError(error.description)
        }
    }

    func drain<Failure: Error>(
        _ body: (RecordBatch) throws(Failure) -> Void
    ) throws(Failure) {
        guard !instance.output.isEmpty else { return }
        try instance.output.drain(body)
    }

    var isPartial: Bool { false }

    // MARK: - Checkpoints

    var position: [UInt8]? {
        get throws(EndpointError) {
            // Before it is opened all is as it was.
            if isOpen { try askForPositions() }
            return SplitPositions(splits: splits, vanished: vanished).bytes
        }
    }

    private func askForPositions() throws(EndpointError) {
        do throws(PluginError) {
            for index in splits.indices {
                splits[index].position = try instance.position(ofSplit: index)
            }
        } catch {
            throw EndpointError(error.description)
        }
        asked = splits.map { $0.position ?? [] }
    }

    var wantsCheckpoints: Bool { instance.wantsCheckpoints && !splits.isEmpty }

    func noteBarrier(_ number: UInt64) {
        guard wantsCheckpoints else { return }
        pending.append((number, asked))
    }

    func noteCheckpoint(_ number: UInt64) throws(EndpointError) {
        guard isOpen, let newest = pending.last(where: { $0.number <= number }) else { return }
        for (index, position) in newest.positions.enumerated() {
            let result = instance.noteCheckpoint(
                ofSplit: index,
                at: position,
                nowMicroseconds: clock.wallMicroseconds()
            )
            switch result {
            case .done: continue
            case .retry: return  // With the next one.
            case .failed(let error): throw EndpointError(error.description)
            }
        }
        pending.removeAll { $0.number <= number }
    }

    func seek(to position: [UInt8]) throws(EndpointError) {
        preconditionFailure("splits are dealt out before the source is made")
    }

    func close() throws(EndpointError) {
        isOpen = false
        do throws(PluginError) {
            try instance.close(nowMicroseconds: clock.wallMicroseconds())
        } catch {
            throw EndpointError(error.description)
        }
    }
}
