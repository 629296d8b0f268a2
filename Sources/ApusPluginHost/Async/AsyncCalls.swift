import ApusMemory
import CApusPlugin

/// The asynchronous calls of an instance.
///
/// The task thread; what others complete comes by way of the ``inbox``.
package final class AsyncCalls {
    /// How calls are made.
    package let settings: AsyncSettings
    /// What was completed or posted.
    package let inbox: AsyncInbox

    private var calls: [AsyncCall] = []
    private var freePlaces: [AsyncCall] = []
    private var begun: [AsyncCall] = []
    /// The batch that process has in hand, and when it got it.
    private var hand: UnsafePointer<apus_batch>?
    private var now: Int64 = 0
    /// The call whose record process has in hand again; the first begin takes its place.
    private var again: AsyncCall?
    /// No call is given up or begun again before this.
    private var nextDueTime = Int64.max

    /// Whether begin was refused since process was last called: all places were taken.
    package private(set) var wasRefused = false

    init(_ settings: AsyncSettings, outputCount: Int) {
        self.settings = settings
        inbox = AsyncInbox(capacity: settings.capacity, outputCount: outputCount)
    }

    /// How many more calls can be begun.
    package var freeCount: Int { settings.capacity - calls.count + freePlaces.count }

    /// Whether no call is under way or waits to be delivered.
    package var isEmpty: Bool { freeCount == settings.capacity }

    /// The calls that are under way or not delivered.
    package var taken: [AsyncCall] { calls.filter { $0.phase != .free } }

    /// When something is due without a word from the plugin, in microseconds.
    package var nextTime: Int64 { nextDueTime }

    // MARK: - Beginning

    /// Lets the plugin begin calls for the records of a batch, until ``endProcess()``.
    func beginProcess(_ batch: UnsafePointer<apus_batch>, now: Int64) {
        hand = batch
        self.now = now
        wasRefused = false
    }

    func endProcess() { hand = nil }

    /// What process has begun since this was last asked, in order.
    package func takeBegun() -> [AsyncCall] {
        defer { begun.removeAll(keepingCapacity: true) }
        return begun
    }

    /// Has the record of a call that failed processed again in its old place.
    ///
    /// - Returns: Whether the plugin has begun a call for it.
    package func beginAgain<Failure: Error>(
        _ call: AsyncCall,
        process: () throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        call.retryCount += 1
        again = call
        defer { again = nil }
        try process()
        return call.phase == .underWay
    }

    func begin(
        _ record: UInt32,
        timeoutMicroseconds: Int64,
        user: UInt64,
        token: UnsafeMutablePointer<UInt64>?
    ) -> Int32 {
        guard let hand, let token, record < hand.pointee.count else { return APUS_UNSUPPORTED }
        let call: AsyncCall
        if let again, again.phase != .underWay {
            // Its record is the one in hand.
            call = again
        } else {
            guard let free = takePlace() else {
                wasRefused = true
                return APUS_LIMIT
            }
            call = free
            guard keep(hand, Int(record), in: call) else {
                freePlaces.append(call)
                return APUS_LIMIT
            }
            call.retryCount = 0
            begun.append(call)
        }
        call.phase = .underWay
        call.results = nil
        call.user = user
        call.token = inbox.begin(call.place)
        let timeout = timeoutMicroseconds > 0 ? timeoutMicroseconds : settings.timeoutMicroseconds
        let (deadline, overflow) = now.addingReportingOverflow(timeout)
        call.deadline = overflow ? .max : deadline
        nextDueTime = min(nextDueTime, call.deadline)
        token.pointee = call.token
        return APUS_OK
    }

    private func takePlace() -> AsyncCall? {
        if let free = freePlaces.popLast() { return free }
        guard calls.count < settings.capacity else { return nil }
        let call = AsyncCall(place: calls.count)
        calls.append(call)
        return call
    }

    private func keep(
        _ batch: UnsafePointer<apus_batch>,
        _ index: Int,
        in call: AsyncCall
    ) -> Bool {
        let record = call.record
        record.reset()
        let batch = batch.pointee
        // SAFETY: the host made the batch, and the index lies within it; bytes are copied.
        let key = batch.key.map { Self.bytes($0 + index, batch.buffers) }
        let value = Self.bytes(batch.value + index, batch.buffers)
        guard record.append(key: key, value: value, time: batch.ts[index]) else { return false }
        if let kinds = batch.kind { record.kinds[0] = kinds[index] }
        record.hashes[0] = batch.key_hash?[index] ?? 0
        call.input = Int(batch.input)
        return true
    }

    private static func bytes(
        _ view: UnsafePointer<apus_view>,
        _ buffers: UnsafePointer<UnsafePointer<UInt8>?>?
    ) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: apus_view_data(view, buffers),
            count: Int(view.pointee.len)
        )
    }

    // MARK: - Ending

    /// Takes what was completed and posted.
    ///
    /// - Parameter body: Called with each call that is done now.
    /// - Returns: The events.
    package func takeCompleted(_ body: (AsyncCall) -> Void) -> [UInt64] {
        let (completions, events) = inbox.takeAll()
        for completion in completions {
            let call = calls[completion.place]
            // Its place may have been taken from it: by the end of the job.
            guard call.phase == .underWay else { continue }
            call.status = completion.status
            call.results = completion.results
            call.phase = .done
            body(call)
        }
        return events
    }

    /// Takes the calls that have had their time, or are to be begun again.
    ///
    /// - Complexity: O(places) when anything is due, else O(1).
    package func takeDue(
        now: Int64,
        timedOut: (AsyncCall) -> Void,
        again: (AsyncCall) -> Void
    ) {
        guard now >= nextDueTime else { return }
        nextDueTime = .max
        for call in calls {
            switch call.phase {
            case .underWay where call.deadline <= now:
                // Completed at this moment: the inbox has it.
                guard inbox.take(call.place, generation: call.token & ~UInt64(UInt32.max)) else {
                    continue
                }
                call.status = APUS_TIMED_OUT
                call.results = nil
                call.phase = .done
                timedOut(call)
            case .waiting(let until) where until <= now: again(call)
            default: break
            }
            switch call.phase {
            case .underWay: nextDueTime = min(nextDueTime, call.deadline)
            case .waiting(let until) where until > now: nextDueTime = min(nextDueTime, until)
            default: break
            }
        }
    }

    /// Puts off a call that has failed.
    package func wait(_ call: AsyncCall, until time: Int64) {
        call.phase = .waiting(until: time)
        nextDueTime = min(nextDueTime, time)
    }

    /// Frees the place of a call that is delivered.
    package func free(_ call: AsyncCall) {
        call.phase = .free
        call.results = nil
        freePlaces.append(call)
    }

    /// Gives up all calls that are under way.
    ///
    /// - Parameter body: Called with each.
    package func giveUpAll(_ body: (AsyncCall) -> Void) {
        for call in calls where call.phase == .underWay {
            guard inbox.take(call.place, generation: call.token & ~UInt64(UInt32.max)) else {
                continue
            }
            call.phase = .done
            body(call)
        }
    }
}
