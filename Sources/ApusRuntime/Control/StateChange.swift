import ApusMemory

/// A change of state that a running job is asked for, spread over the subtasks that have the keys.
///
/// Made by ``JobRun``; waited for by one thread.
package final class StateChange: Sendable {
    /// What came of it.
    package enum Outcome: Equatable, Sendable {
        /// Keys that were changed; that were left because they are not as they were; the rest.
        case changed(done: Int, left: Int, other: Int)
        /// Some subtask cannot do it, for this reason; others may have done their part.
        case refused(String)
    }

    private let requests: [StateRequest]
    private let bell: Doorbell

    init(_ requests: [StateRequest], bell: Doorbell) {
        self.requests = requests
        self.bell = bell
    }

    /// Waits for what comes of it, at most so long.
    ///
    /// - Parameter nanoseconds: How long.
    /// - Returns: What came of it; nil when that is not known yet.
    package func wait(nanoseconds: Int64) -> Outcome? {
        bell.sleep(nanoseconds: nanoseconds) { answers.count == requests.count }
        let found = answers
        guard found.count == requests.count else { return nil }
        var sum = (done: 0, left: 0, other: 0)
        for answer in found {
            switch answer {
            case .changed(let done, let left, let other):
                sum = (sum.done + done, sum.left + left, sum.other + other)
            case .refused(let reason): return .refused(reason)
            case .measured, .images, .occupancy:
                preconditionFailure("only changes are asked for here")
            }
        }
        return .changed(done: sum.done, left: sum.left, other: sum.other)
    }

    private var answers: [StateRequest.Answer] { requests.compactMap(\.answer) }
}
