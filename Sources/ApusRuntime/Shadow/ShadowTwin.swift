package import ApusCore
import ApusMemory
import ApusPluginHost
import ApusState
import ApusSwap

/// A new version of an operator at work in a process of its own, on what the running one is called
/// with.
///
/// One thread.  Made of the same stage as in a job; see
/// docs/decisions/2026-11-28-shadow-run.md.
package final class ShadowTwin {
    private let setup: ShadowSetup
    private let running: JobEnvironment.Implementation
    private let new: JobEnvironment.Implementation
    private let clock: ShadowClock
    private let control = RunControl()
    private let thread: TaskThread
    private let rejects = ShadowRejects()
    private var stage: OperatorStage?
    /// Holds rows as the running version has them, until the new one takes them over.
    private var layout: OperatorInstance?
    private var written: [[UInt8]] = []
    private var comparison = ShadowComparison()
    private var found = ShadowReport()
    /// How many steps took up to 2^n microseconds, by n.
    private var durations = [Int](repeating: 0, count: 48)

    /// Creates a twin that has no state yet.
    ///
    /// - Parameters:
    ///   - setup: What the job has sent.
    ///   - running: The version that runs there; it keeps rows here, and is never called with
    ///     records.
    ///   - new: The version to be compared.
    ///   - clock: For measurements.
    package init(
        _ setup: ShadowSetup,
        running: JobEnvironment.Implementation,
        new: JobEnvironment.Implementation,
        clock: any Clock
    ) {
        self.setup = setup
        self.running = running
        self.new = new
        self.clock = ShadowClock(clock)
        thread = TaskThread(
            index: 0,
            control: control,
            clock: self.clock,
            bufferTimeoutMicroseconds: 0,
            checkpoints: nil
        )
    }

    /// What was found so far.
    package var report: ShadowReport {
        var report = found
        report.outputsRunning = comparison.running
        report.outputsNew = comparison.new
        report.rejectedRunning = comparison.rejectedRunning
        report.rejectedNew = comparison.rejectedNew
        report.outputsEqual = comparison.equal
        report.onlyRunning = comparison.onlyRunning
        report.onlyNew = comparison.onlyNew
        report.samples = comparison.samples
        var left = durations.reduce(0, +) * 99 / 100
        for (index, count) in durations.enumerated() where count > 0 {
            report.p99Microseconds = 1 << Int64(index)
            left -= count
            if left < 0 { break }
        }
        return report
    }

    /// Takes a message that the job has sent.
    ///
    /// - Parameter bytes: A whole one, from its kind on.
    /// - Returns: Whether others may follow.
    package func take(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let message = ShadowMessage.read(bytes) else {
            return end(because: "a message of the job is damaged")
        }
        do throws(JobFailure) {
            switch message {
            case .setup: return end(because: "the job was set up twice")
            case .fork(let fork): try begin(fork)
            case .step(let step): try take(step)
            case .end:
                found.isFinal = true
                return false
            }
        } catch {
            return end(because: error.message)
        }
        guard !comparison.isFull else {
            return end(because: "more than \(ShadowComparison.openCountMax) outputs differ")
        }
        return true
    }

    private func end(because reason: String) -> Bool {
        found.failure = reason
        found.isFinal = true
        return false
    }

    // MARK: - The fork

    private func begin(_ fork: ShadowFork) throws(JobFailure) {
        do throws(PluginError) {
            let layout = try makeInstance(of: running, fork)
            try layout.open(nowMicroseconds: clock.wallMicroseconds())
            for output in layout.outputs { output.discard() }
            let instance = try makeInstance(of: new, nil)
            let change = ComponentChange(
                from: ComponentShape(running.description),
                to: ComponentShape(new.description)
            )
            let step = try change.step(
                by: new,
                owner: "shadow of operator \(setup.operatorID), subtask \(setup.subtask)",
                isBack: false
            )
            try instance.takeOver(
                layout,
                step,
                rows: (StateMigration([step]), []),
                nowMicroseconds: clock.wallMicroseconds()
            )
            self.layout = layout
            stage = makeStage(instance, watermark: fork.watermark)
        } catch {
            throw JobFailure(.plugin, node: setup.operatorID, error.description)
        }
        try stage?.open()
        // What it has to say at its beginning has no partner: the running one has said it long ago.
        written = []
    }

    private func makeInstance(
        of version: JobEnvironment.Implementation,
        _ fork: ShadowFork?
    ) throws(PluginError) -> OperatorInstance {
        var arguments = setup.arguments
        if let fork {
            arguments.broadcasts = fork.broadcasts
            arguments.operatorState = fork.operatorState
            let own = version.description
            if let snapshotVersion = own.snapshotVersion {
                arguments.operatorState?[own.operatorStates.count - 1] = []
                arguments.snapshot = fork.snapshot.map {
                    PrivateSnapshot.Saved(bytes: $0, version: snapshotVersion)
                }
            }
        }
        return try OperatorInstance(
            plugin: version.plugin,
            component: version.component,
            arguments: arguments
        )
    }

    private func makeStage(_ instance: OperatorInstance, watermark: Int64) -> OperatorStage {
        let ports = instance.outputs.indices.map { number in
            let port = OutputPort()
            port.add(ShadowPort(number) { [unowned self] in written.append($0) })
            return port
        }
        let stage = OperatorStage(
            Stage.Place(
                node: setup.operatorID,
                nodeIndex: 0,
                subtask: setup.subtask,
                channelCount: 1,
                control: control,
                watermark: watermark
            ),
            instance: instance,
            arguments: setup.arguments,
            mainInputCount: setup.mainInputCount,
            ports: ports,
            deadLetters: rejects,
            patience: Patience(control: control, waits: false) { _ in },
            clock: clock,
            thread: thread
        )
        stage.badValuePolicy = .deadLetter
        return stage
    }

    // MARK: - Steps

    private func take(_ step: ShadowStep) throws(JobFailure) {
        guard let stage else {
            throw JobFailure(.environment, node: setup.operatorID, "a step came before the fork")
        }
        clock.set(wallMicroseconds: step.now)
        try take(step.images, stage)
        let start = clock.monotonicNanoseconds()
        switch step.what {
        case .nothing: return
        case .records:
            found.records += step.records.count
            try stage.process(step.records, input: step.input)
        case .eventTime: try stage.applyWatermark(step.watermark)
        case .processingTime: _ = try stage.advanceProcessingTime(to: step.now)
        }
        let microseconds = (clock.monotonicNanoseconds() - start) / 1000
        found.busyMicroseconds += microseconds
        found.steps += 1
        durations[min(64 - max(microseconds, 1).leadingZeroBitCount, 47)] += 1
        for output in step.outputs { comparison.addRunning(output) }
        for output in written + rejects.take() { comparison.addNew(output) }
        written.removeAll(keepingCapacity: true)
    }

    /// Puts keys where the new version finds them, and has it take them over at once.
    private func take(_ images: [KeyImage], _ stage: OperatorStage) throws(JobFailure) {
        guard !images.isEmpty, let old = layout?.state, let state = stage.instance.state else {
            return
        }
        found.keys += images.count
        let keys = RecordBatch(recordCapacity: images.count, arenaCapacity: 4096)
        for image in images { _ = keys.append(key: image.key) }
        let outcomes = old.restore(keys, images[...])
        for (image, outcome) in zip(images, outcomes) where outcome != .restored {
            refuse("'\(String(decoding: image.key, as: UTF8.self))' does not fit its own layout")
        }
        state.setTime(microseconds: clock.wallMicroseconds(), watermark: stage.watermark)
        state.bring(keys)
        for key in state.takeQuarantined() { refuse(key.reason) }
    }

    private func refuse(_ reason: String) {
        found.keysRefused += 1
        found.refusal = found.refusal ?? reason
    }
}
