import Synchronization

/// What tools ask of the state of one subtask: filled by any thread, emptied by its task thread.
final class StateInbox: Sendable {
    private let waitingCount: Atomic<Int> = Atomic(0)
    private let requests: Mutex<[StateRequest]> = Mutex([])
    /// Why nobody works on requests any more.
    private let closed: Mutex<String?> = Mutex(nil)

    /// Whether there is anything; one load.
    var hasAny: Bool { waitingCount.load(ordering: .acquiring) > 0 }

    /// Refuses what is posted from now on.
    func close(_ reason: String) { closed.withLock { $0 = reason } }

    /// Adds a request.
    func post(_ request: StateRequest) {
        // The lock is held, so that whoever closes finds what was posted before.
        closed.withLock { reason in
            if let reason { return request.finish(.refused(reason)) }
            append(request)
        }
    }

    private func append(_ request: StateRequest) {
        requests.withLock { requests in
            requests.append(request)
            waitingCount.store(requests.count, ordering: .releasing)
        }
    }

    /// The oldest request, which stays until ``removeFirst()``.
    var first: StateRequest? { requests.withLock { $0.first } }

    /// Removes the oldest request.
    func removeFirst() {
        requests.withLock { requests in
            requests.removeFirst()
            waitingCount.store(requests.count, ordering: .releasing)
        }
    }
}
