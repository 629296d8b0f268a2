import ApusMemory
import ApusState
import Synchronization

/// Something that a tool asks of the state of one subtask, and its answer.
///
/// Made and waited for by the thread of a control connection, worked on by the task thread.
final class StateRequest: Sendable {
    /// What is asked for.
    enum Work: Sendable {
        /// Remove keys that were not written since, or a state of them.
        case remove(keys: [[UInt8]], written: [UInt32], slot: Int?)
        /// Put back what keys had.
        case restore([KeyImage])
        /// Count what there is.
        case measure
        /// Take some keys apart, so many at most.
        case images(rowCountMax: Int)
        /// Tell how much memory it takes.
        case occupancy
    }

    /// What came of it.
    enum Answer: Sendable {
        /// Keys: removed or restored; left because they have changed; not there, or unfit.
        case changed(done: Int, left: Int, other: Int)
        case measured(StateMeasure)
        case images([KeyImage])
        case occupancy(StateOccupancy)
        /// The subtask cannot do it, for this reason.
        case refused(String)
    }

    let work: Work
    private let answered: Mutex<Answer?> = Mutex(nil)
    private let bell: Doorbell

    init(_ work: Work, bell: Doorbell) {
        self.work = work
        self.bell = bell
    }

    func finish(_ answer: Answer) {
        answered.withLock { $0 = answer }
        bell.ring()
    }

    var answer: Answer? { answered.withLock { $0 } }
}

/// How much state a subtask has.
struct StateMeasure: Sendable {
    var keyCount = 0
    var byteCount = 0
    var eventTimerCount = 0
    var processingTimerCount = 0
    var sample: StateSample
}
