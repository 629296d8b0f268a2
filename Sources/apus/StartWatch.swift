import ApusCore
import ApusIO
import ArgumentParser
import Glibc
import Synchronization

/// Takes Ctrl-C as long as there is no job that could be stopped.
///
/// Loading a plugin, making an operator or opening a named pipe can take for ever; nothing has run
/// then, so the process simply ends.  A request that comes just before the job is there is left to
/// who watches the job.
final class StartWatch: Sendable {
    private static let waitMilliseconds = 5
    /// How long a request may wait for the job to be there.
    private static let patienceMilliseconds = 500

    // Relaxed: nothing is published with it.
    private let hasEnded: Atomic<Bool> = Atomic(false)
    private let thread: Mutex<(any RunningThread)?> = Mutex(nil)

    /// Starts to watch; after `LinuxSignals.block()`.
    init(_ threads: any Threads) {
        let started = threads.start(name: "apus-start") { [self] in watch() }
        thread.withLock { $0 = started }
    }

    /// Leaves the signals to somebody else; once.
    func end() {
        hasEnded.store(true, ordering: .relaxed)
        thread.withLock { $0?.join() }
    }

    private func watch() {
        var first: LinuxSignals.Request?
        var waited = 0
        while !hasEnded.load(ordering: .relaxed) {
            let request = LinuxSignals.next(waitingMilliseconds: Self.waitMilliseconds)
            let isSecond = first != nil && request != nil
            if isSecond || waited >= Self.patienceMilliseconds {
                Console.note("ended before the job started")
                // Not exit: what runs at the end must not run beside the main thread.
                _exit(ExitStatus.interrupted.rawValue)
            }
            first = first ?? request
            if first != nil { waited += Self.waitMilliseconds }
        }
        // Blocked, so it waits until somebody takes it.
        if let first { kill(getpid(), first == .interrupt ? SIGINT : SIGTERM) }
    }
}
