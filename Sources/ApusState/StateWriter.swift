package import ApusCore
package import ApusMemory
package import ApusStore
import Synchronization

/// Writes what the states of a worker flush into the database, on a thread of its own.
///
/// Entries of several states are gathered, sorted and ingested as one run, because few large runs
/// cost less to look up in and to compact than many small ones.  What cannot be written, as on a
/// full disk, stays in memory and is tried again every second; meanwhile checkpoints fail and, when
/// the budget is used up, states wait.
package final class StateWriter: Sendable {
    /// How long to wait after a failure.
    private static let retryNanoseconds: Int64 = 1_000_000_000
    /// A net under the doorbell.
    private static let sleepLimit: Int64 = 1_000_000_000
    /// How often to look at the pages of mapped files, and how many bytes may be in the process.
    private static let releaseNanoseconds: Int64 = 50_000_000
    private static let mappedByteCountMax = 32 << 20
    /// With more runs than that task threads leave compactions more of the processors.
    private static let runCountMax = 48

    private struct Submission {
        let buffer: EntryBuffer
        let progress: FlushProgress
        let flush: Int
        let byteCount: Int
    }

    /// A checkpoint that somebody waits for.
    private final class Request: Sendable {
        let directory: String
        let done = Doorbell()
        let result: Mutex<Result<Void, StoreError>?> = Mutex(nil)

        init(directory: String) {
            self.directory = directory
        }
    }

    private struct Queue {
        var submissions: [Submission] = []
        var byteCount = 0
        var request: Request?
        var isUrgent = false
        var isClosed = false
        var isFailing = false
    }

    private let database: StateDatabase
    private let directory: String
    private let budget: MemoryBudget
    private let runByteCount: Int
    /// Programs and libraries, mostly.
    private let mappedAtStart: Int
    private let notify: @Sendable (String) -> Void
    private let queue: Mutex<Queue> = Mutex(Queue())
    private let bell = Doorbell()
    private let released: Atomic<UInt64> = Atomic(0)
    private let thread: Mutex<(any RunningThread)?> = Mutex(nil)
    /// What this thread and those of the database and of checkpoints have to do.
    package let load = BackgroundLoad()
    /// Rung when a flush is in, for whoever waits for memory.
    private let waiting: Mutex<[Doorbell]> = Mutex([])

    /// Starts the writer.
    ///
    /// - Parameters:
    ///   - database: Where entries go.
    ///   - directory: Where runs are written before they are ingested; on the file system of the
    ///     database, and there already.
    ///   - budget: Entries on their way count in it.
    ///   - runByteCount: How much is gathered before it is written without need.
    ///   - threads: Starts the thread.
    ///   - notify: Takes sentences for the user, such as that the disk is full.
    package init(
        database: StateDatabase,
        directory: String,
        budget: MemoryBudget,
        runByteCount: Int,
        threads: any Threads,
        notify: @escaping @Sendable (String) -> Void
    ) {
        self.database = database
        self.directory = directory
        self.budget = budget
        self.runByteCount = runByteCount
        self.notify = notify
        mappedAtStart = MappedMemory.residentByteCount()
        let handle = threads.start(name: "apus-state", role: .background) { [self] in run() }
        thread.withLock { $0 = handle }
    }

    /// The last checkpoint that was taken or abandoned: flushes that came after its barrier may be
    /// submitted.
    ///
    /// Any thread.
    package var releasedCheckpoint: UInt64 { released.load(ordering: .acquiring) }

    /// Takes a flush over.
    ///
    /// Any thread; a state's flushes in their order.
    package func submit(_ buffer: EntryBuffer, _ progress: FlushProgress, flush: Int) {
        let byteCount = buffer.byteCount
        budget.addInFlight(byteCount)
        let isEnough = queue.withLock { queue in
            queue.submissions.append(
                Submission(buffer: buffer, progress: progress, flush: flush, byteCount: byteCount)
            )
            queue.byteCount += byteCount
            return queue.byteCount >= runByteCount
        }
        if isEnough { bell.ring() }
    }

    /// Asks that what was submitted be written now, and that `bell` be rung when it is.
    package func hurry(_ bell: Doorbell) {
        ringWhenWritten(bell)
        queue.withLock { $0.isUrgent = true }
        self.bell.ring()
    }

    /// Has `bell` rung when the next flush is in, without asking for it to be soon.
    package func ringWhenWritten(_ bell: Doorbell) {
        waiting.withLock { bells in
            if !bells.contains(where: { $0 === bell }) { bells.append(bell) }
        }
    }

    /// Makes a checkpoint of the database out of everything that was submitted before.
    ///
    /// Blocks its thread.
    ///
    /// - Parameters:
    ///   - number: The checkpoint, for ``releaseCheckpoint(_:)``.
    ///   - directory: Must not exist; gets hard links to the database's files.
    /// - Throws: ``StoreError``; nothing is lost then, and the next checkpoint tries again.
    package func takeCheckpoint(_ number: UInt64, to directory: String) throws(StoreError) {
        let request = Request(directory: directory)
        queue.withLock { queue in
            precondition(queue.request == nil, "one checkpoint at a time")
            queue.request = request
        }
        bell.ring()
        while true {
            let result = request.result.withLock { $0 }
            if let result { return try result.get() }
            request.done.sleep(nanoseconds: Self.sleepLimit) {
                request.result.withLock { $0 != nil }
            }
        }
    }

    /// Notes that a checkpoint was taken or abandoned.
    package func releaseCheckpoint(_ number: UInt64) {
        released.store(number, ordering: .releasing)
        let bells = waiting.withLock { $0 }
        for bell in bells { bell.ring() }
    }

    /// Ends the thread; what was submitted and not written is dropped.
    ///
    /// Once.
    package func close() {
        queue.withLock { $0.isClosed = true }
        bell.ring()
        let handle = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        handle?.join()
    }

    // MARK: - The thread

    private func run() {
        var number = 0
        while true {
            let (work, request, isClosed) = take()
            if isClosed { return }
            guard !work.isEmpty || request != nil else {
                bell.sleep(nanoseconds: Self.releaseNanoseconds, unless: hasWork)
                releaseMappedPages()
                noteCompaction()
                continue
            }
            number += 1
            do throws(StoreError) {
                try load.during { () throws(StoreError) in
                    try write(work, number)
                    if let request {
                        try database.checkpoint(to: request.directory)
                        finish(request, .success(()))
                    }
                }
                noteCompaction()
            } catch {
                fail(error, work, request)
            }
        }
    }

    /// Keeps what lookups and compactions have looked at from counting as this process's memory
    /// for ever.
    private func releaseMappedPages() {
        guard MappedMemory.residentByteCount() > mappedAtStart + Self.mappedByteCountMax else {
            return
        }
        database.releaseMappedPages()
    }

    /// Compactions may take their time, until there are too many runs.
    private func noteCompaction() {
        load.noteCompaction(isBehind: database.runCount > Self.runCountMax)
    }

    private func hasWork() -> Bool {
        queue.withLock { queue in
            queue.isClosed || queue.request != nil
                || (queue.byteCount > 0 && queue.isUrgent)
                || queue.byteCount >= runByteCount
        }
    }

    private func take() -> (work: [Submission], request: Request?, isClosed: Bool) {
        queue.withLock { queue in
            if queue.isClosed { return ([], nil, true) }
            let isDue = queue.isUrgent || queue.byteCount >= runByteCount
            guard isDue || queue.request != nil else { return ([], nil, false) }
            defer {
                queue.submissions = []
                queue.byteCount = 0
                queue.request = nil
                queue.isUrgent = false
            }
            return (queue.submissions, queue.request, false)
        }
    }

    private func write(_ work: [Submission], _ number: Int) throws(StoreError) {
        guard !work.isEmpty else { return }
        let run = try SortedRun.write(
            work.map(\.buffer),
            directory: directory,
            name: "run-\(number)"
        )
        if !run.paths.isEmpty { try database.ingest(run.paths) }
        releaseMappedPages()
        for submission in work { submission.progress.complete(submission.flush) }
        budget.addInFlight(-work.reduce(0) { $0 + $1.byteCount })
        let wasFailing = queue.withLock { queue in
            defer { queue.isFailing = false }
            return queue.isFailing
        }
        if wasFailing { notify("state is written to its database again") }
        let bells = waiting.withLock { bells in
            defer { bells = [] }
            return bells
        }
        for bell in bells { bell.ring() }
    }

    private func finish(_ request: Request, _ result: Result<Void, StoreError>) {
        request.result.withLock { $0 = result }
        request.done.ring()
    }

    /// Puts the work back in front, answers who waits, and lets some time pass.
    private func fail(_ error: StoreError, _ work: [Submission], _ request: Request?) {
        let isFirst = queue.withLock { queue in
            // A flush that is in already must not come back; the others keep their order.
            let left = work.filter { $0.flush > $0.progress.completed }
            queue.submissions = left + queue.submissions
            queue.byteCount += left.reduce(0) { $0 + $1.byteCount }
            defer { queue.isFailing = true }
            return !queue.isFailing
        }
        if let request { finish(request, .failure(error)) }
        if isFirst {
            notify("state cannot be written, tried again every second: \(error.description)")
        }
        bell.sleep(nanoseconds: Self.retryNanoseconds) {
            queue.withLock { $0.isClosed || $0.request != nil }
        }
    }
}
