import Synchronization

/// What the control plane tells the task threads, and the first failure that they report.
final class RunControl: Sendable {
    /// How a job is to end.
    enum Request: UInt8, AtomicRepresentable {
        /// Not yet.
        case none
        /// Sources stop; what is under way is delivered; timers that are not due are dropped.
        case stop
        /// Everything stops where it is.
        case abort
    }

    private let request: Atomic<Request> = Atomic(.none)
    private let firstFailure: Mutex<JobFailure?> = Mutex(nil)

    /// The strongest request so far.
    ///
    /// Any thread; one load.
    var current: Request { request.load(ordering: .acquiring) }

    /// Asks the job to end.
    ///
    /// A request never weakens.
    func ask(_ wanted: Request) {
        if wanted == .abort {
            request.store(.abort, ordering: .releasing)
        } else {
            _ = request.compareExchange(expected: .none, desired: wanted, ordering: .releasing)
        }
    }

    /// Reports a failure: the first one is kept, and everything stops.
    func fail(_ failure: JobFailure) {
        firstFailure.withLock { $0 = $0 ?? failure }
        ask(.abort)
    }

    /// The first failure, if any.
    var failure: JobFailure? { firstFailure.withLock { $0 } }
}
