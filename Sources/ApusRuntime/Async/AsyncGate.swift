import ApusCore
import ApusPluginHost

/// Decides when the results of asynchronous calls may leave, and when event time may go on.
///
/// Marks (watermarks, idleness) cut the calls into segments.  Calls of the first segment are
/// delivered when they are done, in the order of their records if that is wanted; a mark is applied
/// when all calls before it have been delivered.  The task thread.
final class AsyncGate {
    /// What must not overtake the calls before it.
    enum Mark: Equatable {
        /// Event time has come so far.
        case watermark(Int64)
        /// All inputs are idle.
        case idle
    }

    private struct Segment {
        let number: UInt64
        /// Calls that are not delivered.
        var openCount = 0
        /// All of them in the order of their records; only what is behind `head` counts.
        var order: [AsyncCall] = []
        var head = 0
        /// Those that are done, in the order of that.
        var ready: [AsyncCall] = []
        /// What comes behind it; nil while it is the last segment.
        var mark: Mark?
    }

    private let isOrdered: Bool
    private var segments: [Segment] = [Segment(number: 0)]

    init(isOrdered: Bool) { self.isOrdered = isOrdered }

    /// Whether nothing is held.
    var isEmpty: Bool { segments.count == 1 && segments[0].openCount == 0 }

    /// Adds calls that have begun.
    func add(_ calls: [AsyncCall]) {
        let last = segments.count - 1
        for call in calls {
            call.segment = segments[last].number
            segments[last].openCount += 1
            if isOrdered { segments[last].order.append(call) }
        }
    }

    /// Adds a mark behind all calls that have begun.
    func add(_ mark: Mark) {
        let last = segments.count - 1
        // Nothing has come between two watermarks: the newer one says it all.
        if segments[last].openCount == 0, segments.count > 1, case .watermark = mark,
            case .watermark = segments[last - 1].mark
        {
            segments[last - 1].mark = mark
            return
        }
        segments[last].mark = mark
        segments.append(Segment(number: segments[last].number + 1))
    }

    /// Notes that a call is done.
    func note(_ call: AsyncCall) {
        guard !isOrdered else { return }
        segments[Int(call.segment - segments[0].number)].ready.append(call)
    }

    /// Takes up to `count` calls of one input that may be delivered now.
    func takeReady(_ count: Int) -> [AsyncCall] {
        var taken: [AsyncCall] = []
        if isOrdered {
            while taken.count < count, let call = firstInOrder, call.phase == .done,
                taken.isEmpty || taken[0].input == call.input
            {
                taken.append(call)
                segments[0].head += 1
            }
            compactOrder()
        } else {
            let ready = segments[0].ready
            while taken.count < min(count, ready.count),
                taken.isEmpty || ready[taken.count].input == taken[0].input
            {
                taken.append(ready[taken.count])
            }
            segments[0].ready.removeFirst(taken.count)
        }
        return taken
    }

    private var firstInOrder: AsyncCall? {
        segments[0].head < segments[0].order.count ? segments[0].order[segments[0].head] : nil
    }

    private func compactOrder() {
        guard segments[0].head > 1024, segments[0].head * 2 > segments[0].order.count else {
            return
        }
        segments[0].order.removeFirst(segments[0].head)
        segments[0].head = 0
    }

    /// Puts a call back that was taken and has begun again.
    func putBack(_ call: AsyncCall) {
        guard isOrdered else { return }
        // It was taken from the front, and what was taken with it is delivered before.
        segments[0].order.insert(call, at: segments[0].head)
    }

    /// Notes that calls which were taken are delivered.
    func delivered(_ count: Int) { segments[0].openCount -= count }

    /// Takes the mark that nothing stands before any more.
    func takeMark() -> Mark? {
        guard segments[0].openCount == 0, let mark = segments[0].mark else { return nil }
        segments.removeFirst()
        return mark
    }

    /// Forgets all calls; marks stay.
    func forgetCalls() {
        for index in segments.indices {
            segments[index].openCount = 0
            segments[index].order = []
            segments[index].head = 0
            segments[index].ready = []
        }
    }

    /// The calls that are not delivered, in the order of their records if that is kept.
    func undelivered(among calls: [AsyncCall]) -> [AsyncCall] {
        guard isOrdered else { return calls.filter { $0.phase != .free } }
        return segments.flatMap { $0.order[$0.head...] }
    }
}
