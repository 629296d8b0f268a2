import ApusCore
import ApusMemory
import ApusPluginHost

/// Hands the output of whole epochs to a sink of a plugin, and has it committed.
///
/// One instance, whatever the parallelism: the sink's only subtask writes logs of whole records.
/// The plugin tells which epoch it has committed last; what a crash has left in between is written
/// and committed again, unless it says that it has it.
///
/// The position, integers big-endian:
///
///     offset  size
///          0     1  0x59
///          1     1  version: 1
///          2     8  newest epoch that was delivered
///         10     8  newest epoch that was committed: those without records are not
final class PluginDelivery: OutputDelivery, @unchecked Sendable {
    // @unchecked because calls come one at a time: from the thread that starts the job, and then
    // from the one that takes checkpoints.

    private static let kind: UInt8 = 0x59
    private static let version: UInt8 = 1
    private static let recordCountMax = 1_024

    /// An epoch that the plugin has taken a part of.
    private struct Writing {
        let epoch: UInt64
        let reader: RecordEnvelope.Reader
        /// The first record of the batch that is not taken.
        var next = 0
        var isComplete = false
    }

    private let node: String
    private let instance: SinkInstance
    private let deadLetters: any DeadLetters
    private let disk: any Disk
    private let clock: any Clock
    private let batch = RecordBatch(
        recordCapacity: PluginDelivery.recordCountMax,
        arenaCapacity: 512 << 10
    )
    private var writing: Writing?
    private var delivered: UInt64 = 0
    private var committed: UInt64 = 0
    /// What the plugin said when it was opened; nil before.
    private var newest: UInt64?
    private var failure: EndpointError?

    init(
        node: String,
        instance: SinkInstance,
        deadLetters: any DeadLetters,
        disk: any Disk,
        clock: any Clock
    ) {
        self.node = node
        self.instance = instance
        self.deadLetters = deadLetters
        self.disk = disk
        self.clock = clock
    }

    deinit {
        // For a job that did not come to run; otherwise it is closed already.
        do throws(PluginError) {
            try instance.close(nowMicroseconds: clock.wallMicroseconds())
        } catch { return }
    }

    // MARK: - Where it stands

    var position: [UInt8] {
        var bytes = [Self.kind, Self.version]
        for number in [delivered, committed] {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
            }
        }
        return bytes
    }

    private func read(
        _ position: [UInt8]
    ) throws(EndpointError) -> (delivered: UInt64, committed: UInt64) {
        guard position.count == 18, position[0] == Self.kind, position[1] == Self.version else {
            throw EndpointError(
                "the checkpoint has the position of another kind of sink here, or of another "
                    + "version: the job was changed; change it back, or give that part of the "
                    + "checkpoint up: --drop-state \(node)"
            )
        }
        let numbers = [2, 10].map { position[$0..<$0 + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        return (numbers[0], numbers[1])
    }

    /// The newest epoch that the plugin has committed; opens it.
    private func open() throws(EndpointError) -> UInt64 {
        if let newest { return newest }
        do throws(PluginError) {
            let epoch = try instance.open(nowMicroseconds: clock.wallMicroseconds())
            newest = epoch
            return epoch
        } catch {
            throw EndpointError(error.description)
        }
    }

    func begin(at epoch: UInt64) throws(EndpointError) {
        let newest = try open()
        guard newest < epoch else {
            throw EndpointError(
                "the sink has committed epoch \(newest), and the job begins with epoch \(epoch), "
                    + "which it would take for one that it has; expected a target without epochs: "
                    + "give the sink another one, or remove what is there"
            )
        }
    }

    func restore(
        _ position: [UInt8],
        undelivered: [SealedOutput]
    ) throws(EndpointError) {
        (delivered, committed) = try read(position)
        let newest = try open()
        if let surplus = try surplus(behind: position, undelivered: undelivered) {
            throw EndpointError(
                "\(surplus): the job would produce that again; go on from the newest checkpoint, "
                    + "or put the target back"
            )
        }
        guard newest == 0 || newest >= committed else {
            throw EndpointError(
                "the sink says that it has committed up to epoch \(newest), and the checkpoint "
                    + "knows that it has committed epoch \(committed): its target was replaced or "
                    + "put back; give it the target that it had"
            )
        }
    }

    func surplus(
        behind position: [UInt8],
        undelivered: [SealedOutput]
    ) throws(EndpointError) -> String? {
        let known = try read(position)
        let newest = try open()
        let last = undelivered.filter { $0.logPath != nil }.map(\.epoch).max() ?? 0
        guard newest > max(known.delivered, last) else { return nil }
        return "the sink has committed epochs up to \(newest), and the checkpoint knows of those "
            + "up to \(max(known.delivered, last))"
    }

    func rewind(
        to position: [UInt8],
        undelivered: [SealedOutput],
        checkpoint number: UInt64
    ) throws(EndpointError) -> String? {
        guard let surplus = try surplus(behind: position, undelivered: undelivered) else {
            return nil
        }
        throw EndpointError(
            "\(surplus); a sink of a plugin cannot take back what it has committed: put its target "
                + "back to epoch \(number) by its own means, and start the job without "
                + "--rewind-output"
        )
    }

    // MARK: - Epochs

    func deliver(_ output: SealedOutput) throws(EndpointError) {
        if let failure { throw failure }
        guard output.epoch > delivered else { return }
        Failpoint.hit(.k3)
        do throws(EndpointError) {
            let newest = try open()
            if let path = output.logPath {
                // One that it knows was committed before a crash.
                if output.epoch > newest { try hand(output, path) }
                committed = output.epoch
            }
        } catch {
            if !error.isRetryable { failure = error }
            throw error
        }
        delivered = output.epoch
    }

    private func hand(_ output: SealedOutput, _ path: String) throws(EndpointError) {
        var current = try begin(output, path)
        // What was taken stays taken, whatever comes.
        defer { writing = current }
        while !current.isComplete {
            try write(&current)
            do throws(DiskError) {
                current.next = 0
                current.isComplete = !(try current.reader.next(into: batch))
            } catch {
                throw EndpointError(error.description)
            }
        }
        // Committed records do not come again: what was rejected must be safe by then.
        try deadLetters.flush()
        Failpoint.hit(.k4)
        Failpoint.hit(.k6)
        let result = instance.commit(output.epoch, nowMicroseconds: clock.wallMicroseconds())
        switch result {
        case .done:
            Failpoint.hit(.k7)
            current = Writing(epoch: 0, reader: current.reader, isComplete: true)
        case .retry(let reason):
            current = try start(output, path)
            throw EndpointError(reason, isRetryable: true)
        case .failed(let error): throw EndpointError(error.description)
        }
    }

    /// The epoch in hand, or the start of another one.
    private func begin(_ output: SealedOutput, _ path: String) throws(EndpointError) -> Writing {
        if let writing, writing.epoch == output.epoch { return writing }
        return try start(output, path)
    }

    private func start(_ output: SealedOutput, _ path: String) throws(EndpointError) -> Writing {
        batch.reset()
        do throws(DiskError) {
            let reader = try RecordEnvelope.Reader(path, byteCount: output.byteCount, disk: disk)
            return Writing(epoch: output.epoch, reader: reader)
        } catch {
            throw EndpointError(error.description)
        }
    }

    /// Has the plugin take the rest of the batch in hand.
    private func write(_ current: inout Writing) throws(EndpointError) {
        while current.next < batch.count {
            let outcome = instance.write(
                batch,
                from: current.next,
                watermark: .min,
                nowMicroseconds: clock.wallMicroseconds()
            )
            switch outcome {
            case .done: current.next = batch.count
            case .again(let at): current.next = at
            case .badRecord(let at, let reason):
                current.next = at
                try deadLetters.add(batch.rejected(at, reason: reason), node: node)
                current.next = at + 1
            case .retry(let reason): throw EndpointError(reason, isRetryable: true)
            case .failed(let error): throw EndpointError(error.description)
            }
        }
    }

    func close() throws(EndpointError) {
        do throws(PluginError) {
            try instance.close(nowMicroseconds: clock.wallMicroseconds())
        } catch {
            throw EndpointError(error.description)
        }
    }
}
