import Synchronization

/// Whether threads in the background have work that somebody waits for: state on its way into the
/// database, a checkpoint that is being written, compactions that do not keep up.
///
/// These threads get what task threads leave of the processors (`ThreadRole.background`).  Task
/// threads that leave nothing look here, and sleep a part of their time while there is such work
/// for long; so nothing in the background starves, and nothing there holds records up.  Any thread.
package final class BackgroundLoad: Sendable {
    // Relaxed, as all here: whoever sees it late sleeps a little later.
    private let jobs: Atomic<Int> = Atomic(0)
    private let isCompactionBehind: Atomic<Bool> = Atomic(false)

    /// Creates a load of nothing.
    package init() {}

    /// Whether there is any work.
    package var isBusy: Bool {
        jobs.load(ordering: .relaxed) > 0 || isCompactionBehind.load(ordering: .relaxed)
    }

    /// Does work that somebody waits for.
    package func during<Result, Failure>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        jobs.add(1, ordering: .relaxed)
        defer { jobs.subtract(1, ordering: .relaxed) }
        return try body()
    }

    /// Notes whether compactions keep up with what is ingested.
    package func noteCompaction(isBehind: Bool) {
        isCompactionBehind.store(isBehind, ordering: .relaxed)
    }
}
