import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusMemory
import ApusState

/// The checkpoint thread: carries out what ``CheckpointProtocol`` decides.
///
/// May block in files.  Everything here is the thread's own but the mailbox, the history and the
/// controls.
struct CheckpointCoordinator {
    /// What it shares with others, or gets from them.
    struct Surroundings: Sendable {
        let settings: CheckpointSettings
        let contents: CheckpointContents
        let control: RunControl
        let mailbox: CheckpointMailbox
        let history: CheckpointHistory
        let deadLetters: any DeadLetters
        let clock: any Clock
        let notify: @Sendable (String) -> Void
        /// Wakes all task threads.
        let wakeThreads: @Sendable () -> Void
    }

    /// An attempt under way.
    private struct Attempt {
        let number: UInt64
        let folder: CheckpointAttempt
        let startedAt: Int64
        let createdMicroseconds: Int64
        var reports: [SubtaskReport] = []
        var isTaken = false
    }

    /// The longest sleep: a net under the doorbell.
    private static let sleepLimit: Int64 = 1_000_000_000

    private let surroundings: Surroundings
    private var machine: CheckpointProtocol
    private var backlog: OutputBacklog
    private var attempt: Attempt?
    /// What others have asked for, by the numbers that the protocol knows them by.
    private var wishes: [UInt64: CheckpointWish] = [:]
    private var nextWish: UInt64 = 1

    init(
        _ surroundings: Surroundings,
        deliveries: [String: any OutputDelivery],
        threadCount: Int
    ) {
        self.surroundings = surroundings
        let settings = surroundings.settings
        backlog = OutputBacklog(deliveries: deliveries, disk: settings.disk)
        machine = CheckpointProtocol(
            policy: settings.policy,
            subtasks: surroundings.contents.subtasks,
            threadCount: threadCount,
            nextNumber: settings.folder.nextNumber,
            lastComplete: settings.restored?.number,
            now: surroundings.clock.monotonicNanoseconds()
        )
    }

    private var settings: CheckpointSettings { surroundings.settings }
    private var control: RunControl { surroundings.control }
    private var now: Int64 { surroundings.clock.monotonicNanoseconds() }

    // MARK: - The thread

    /// Runs until the job's last checkpoint is complete, or the job is broken off.
    mutating func run() {
        while !machine.isOver, control.current != .abort {
            for letter in surroundings.mailbox.take() {
                if let event = open(letter) { handle(event) }
            }
            handle(.tick)
            if machine.isOver || control.current == .abort { break }
            let wait = min(machine.nextTickAt - now, Self.sleepLimit)
            guard wait > 0 else { continue }
            let control = self.control
            surroundings.mailbox.sleep(nanoseconds: wait) { control.current == .abort }
        }
        if let attempt {
            attempt.folder.abandon()
            settings.state?.writer.releaseCheckpoint(attempt.number)
        }
        for wish in wishes.values { wish.fulfil(.refused("the job has ended")) }
        if let error = backlog.close() {
            control.fail(JobFailure(.environment, node: "checkpoints", error.description))
        }
    }

    /// Answers those who ask when it is too late; once nobody else opens letters.
    func refuseRest() {
        for case .wish(let wish) in surroundings.mailbox.take() {
            wish.fulfil(.refused("the job has ended"))
        }
    }

    private mutating func open(_ letter: CheckpointMailbox.Letter) -> CheckpointProtocol.Event? {
        switch letter {
        case .report(let report):
            // Of an abandoned attempt, too: what is sealed stays sealed.
            if case .sink(let outputs) = report.content { backlog.add(outputs) }
            guard report.number == attempt?.number else {
                if let inFlight = report.inFlight { remove(inFlight) }
                return nil
            }
            attempt?.reports.append(report)
            return .reported(report.number, report.subtask)
        case .declined(let number, let reason): return .declined(number, reason)
        case .threadEnded: return .threadEnded
        case .stopRequested: return .stopRequested
        case .deliveryAllowed: return deliver()
        case .wish(let wish):
            defer { nextWish += 1 }
            wishes[nextWish] = wish
            return .requested(nextWish)
        }
    }

    private mutating func handle(_ first: CheckpointProtocol.Event) {
        var events = [first]
        while !events.isEmpty {
            let effects = machine.step(events.removeFirst(), now: now)
            for effect in effects {
                if let event = carryOut(effect) { events.append(event) }
            }
        }
    }

    private mutating func carryOut(
        _ effect: CheckpointProtocol.Effect
    ) -> CheckpointProtocol.Event? {
        switch effect {
        case .begin(let number): return begin(number)
        case .inject(let number, let isLast):
            control.markSwapBarrier(number)
            control.askForBarrier(number, isLast: isLast)
            surroundings.wakeThreads()
        case .commit(let number): return commit(number)
        case .abandon(let number, let reason): abandon(number, reason)
        case .deliver: return deliver()
        case .collectGarbage: collectGarbage()
        case .grant(let numbers, let checkpoint): grant(numbers, checkpoint)
        case .refuse(let numbers, let reason):
            for number in numbers {
                wishes.removeValue(forKey: number)?.fulfil(.refused(reason))
            }
        case .warn(let text): surroundings.notify(text)
        case .release:
            control.release()
            surroundings.wakeThreads()
        case .fail(let reason):
            control.fail(JobFailure(.environment, node: "checkpoints", reason))
            surroundings.wakeThreads()
        }
        return nil
    }

    /// Lends a complete checkpoint to those who have asked for it.
    private mutating func grant(_ numbers: [UInt64], _ checkpoint: UInt64) {
        for number in numbers {
            let wish = wishes.removeValue(forKey: number)
            do throws(CheckpointError) {
                wish?.fulfil(.granted(try settings.folder.lease(checkpoint)))
            } catch {
                wish?.fulfil(.refused(error.description))
            }
        }
    }

    // MARK: - An attempt

    private mutating func begin(_ number: UInt64) -> CheckpointProtocol.Event {
        do {
            attempt = Attempt(
                number: number,
                folder: try settings.folder.begin(number),
                startedAt: now,
                createdMicroseconds: surroundings.clock.wallMicroseconds()
            )
            return .begun(number)
        } catch {
            return .failed(number, error.description)
        }
    }

    private mutating func commit(_ number: UInt64) -> CheckpointProtocol.Event {
        guard let current = attempt, current.number == number else {
            preconditionFailure("only the attempt in hand is committed")
        }
        Failpoint.hit(.c9)
        do {
            let manifest = try busily { try write(current) }
            backlog.release(upTo: number)
            surroundings.history.setUndelivered(backlog.dueCount)
            note(current, .complete, byteCount: manifest.byteCount)
            attempt = nil
            control.noteComplete(number)
            surroundings.wakeThreads()
            return .committed(number, isFinal: manifest.isFinal)
        } catch {
            return .failed(number, "\(error)")
        }
    }

    /// Does what a checkpoint waits for: task threads leave time for it.
    private func busily<Result>(_ body: () throws -> Result) throws -> Result {
        guard let load = settings.state?.writer.load else { return try body() }
        return try load.during(body)
    }

    private func write(_ current: Attempt) throws -> Manifest {
        // What was rejected before the barrier will not be read again.
        try surroundings.deadLetters.flush()
        var files = try addState(current)
        var inFlight: [(subtask: SubtaskID, file: FileEntry)] = []
        for report in current.reports {
            guard let log = report.inFlight else { continue }
            let name = "\(report.subtask.nodeIndex)-\(report.subtask.subtask)"
            let file = try current.folder.add(log.path, role: .inFlight, logicalName: name)
            inFlight.append((report.subtask, file))
            files.append(file)
        }
        var outputs: [(output: SealedOutput, file: FileEntry)] = []
        for (index, output) in backlog.outputs(upTo: current.number).enumerated() {
            guard let path = output.logPath else { continue }
            let name = "\(output.epoch)-\(index)"
            let file = try current.folder.add(path, role: .outbox, logicalName: name)
            outputs.append((output, file))
            files.append(file)
        }
        if !outputs.isEmpty { Failpoint.hit(.k2) }
        let own = try addOwnFiles(current)
        let manifest = surroundings.contents.manifest(
            current.number,
            createdMicroseconds: current.createdMicroseconds,
            reports: current.reports,
            positions: backlog.positions(),
            outputs: outputs,
            inFlight: inFlight,
            own: own.references,
            files: files + own.files
        )
        try current.folder.commit(manifest)
        for report in current.reports {
            if let log = report.inFlight { remove(log) }
        }
        return manifest
    }

    /// Adds the state database as it was when all subtasks had reported.
    private func addState(_ current: Attempt) throws -> [FileEntry] {
        guard let state = settings.state else { return [] }
        let directory = current.folder.directory
        do {
            // Whether it succeeds or not: what comes behind the barrier may be written after it.
            defer { state.writer.releaseCheckpoint(current.number) }
            try state.writer.takeCheckpoint(current.number, to: directory)
        }
        var files: [FileEntry] = []
        let begin = now
        for entry in try settings.disk.list(directory) where !entry.isFolder {
            let path = "\(directory)/\(entry.name)"
            files.append(
                try current.folder.add(path, role: .state, logicalName: entry.name)
            )
            keepToLimit(byteCount: current.folder.newByteCount, since: begin)
        }
        return files
    }

    /// Adds the broadcast and operator state of all operators.
    private func addOwnFiles(_ current: Attempt) throws -> OwnFiles {
        var own = OwnFiles(
            of: current.folder,
            by: try settings.folder.workDirectory("own-files"),
            disk: settings.disk
        )
        for node in surroundings.contents.plan.nodes {
            let reports = current.reports.filter { $0.subtask.nodeIndex == node.index }
            guard let version = surroundings.contents.version(of: node, reports),
                let implementation = version.implementation
            else { continue }
            try own.add(node, implementation.description, reports)
        }
        return own
    }

    /// Waits until so many bytes may have been written by the rule's `io-limit`.
    ///
    /// File by file: a single one goes as fast as the disk takes it.
    private func keepToLimit(byteCount: Int, since begin: Int64) {
        guard let limit = settings.rule.ioLimitBytesPerSecond else { return }
        let due = begin + Int64(Double(byteCount) / Double(limit) * 1e9)
        let left = due - now
        guard left > 0 else { return }
        // Nobody rings: it is a clock that is waited for.
        Doorbell().sleep(nanoseconds: left) { false }
    }

    private mutating func abandon(_ number: UInt64, _ reason: String) {
        guard let current = attempt, current.number == number else {
            surroundings.history.add(
                CheckpointStatistics(
                    number: number,
                    outcome: .abandoned(reason),
                    durationNanoseconds: 0,
                    longestPauseNanoseconds: 0,
                    alignmentNanoseconds: 0,
                    newByteCount: 0,
                    totalByteCount: 0,
                    isUnaligned: false,
                    isFinal: false
                )
            )
            return
        }
        note(current, .abandoned(reason), byteCount: 0)
        current.folder.abandon()
        settings.state?.writer.releaseCheckpoint(number)
        for report in current.reports {
            if let log = report.inFlight { remove(log) }
        }
        attempt = nil
    }

    private func note(
        _ current: Attempt,
        _ outcome: CheckpointStatistics.Outcome,
        byteCount: Int
    ) {
        surroundings.history.add(
            CheckpointStatistics(
                number: current.number,
                outcome: outcome,
                durationNanoseconds: now - current.startedAt,
                longestPauseNanoseconds: current.reports.map(\.pauseNanoseconds).max() ?? 0,
                alignmentNanoseconds: current.reports.map(\.alignmentNanoseconds).max() ?? 0,
                newByteCount: current.folder.newByteCount,
                totalByteCount: byteCount,
                isUnaligned: current.reports.contains(where: \.isUnaligned),
                isFinal: CheckpointContents.isFinal(current.reports)
            )
        )
    }

    /// Removes a log that the folder has, or that nobody needs.
    private func remove(_ log: InFlightFile) {
        // One that stays goes when the folder is next opened.
        do { try settings.disk.remove(log.path) } catch { return }
    }

    // MARK: - Behind a complete checkpoint

    private mutating func deliver() -> CheckpointProtocol.Event {
        Failpoint.hit(.c13)
        let error = backlog.deliver(upTo: control.deliveryLimit)
        surroundings.history.setUndelivered(backlog.dueCount)
        guard let error else {
            // The end of the job waits for who has it held back.
            guard machine.isFinishing, backlog.dueCount > 0 else { return .delivered }
            control.noteFinishing()
            return .notDelivered("it is held back until a swap is decided", isRetryable: true)
        }
        return .notDelivered(error.description, isRetryable: error.isRetryable)
    }

    private func collectGarbage() {
        do {
            _ = try settings.folder.collectGarbage(
                retaining: settings.rule.retainedCount,
                isDryRun: false
            )
        } catch {
            surroundings.notify("old checkpoints are not removed: \(error.description)")
        }
    }
}
