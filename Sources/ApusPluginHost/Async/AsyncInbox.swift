import CApusPlugin
import Synchronization

/// Completed calls and posted events on their way to an instance's task thread.
///
/// Any thread fills it, also when the instance is long gone; the task thread empties it.  Whether a
/// completion counts is decided by one compare-and-swap on the word of its place:
///
///     bits     meaning
///     0...31   0 = free, 1 = the call is under way, 2 = it is completed or given up
///     32...63  generation, counted up each time that the place is taken
///
/// A token is the generation in the upper half and the number of the place in the lower one.
package final class AsyncInbox: Sendable {
    /// A call that is completed.
    struct Completion {
        let place: Int
        let status: Int32
        let results: AsyncResults
    }

    private struct Content {
        var completions: [Completion] = []
        var events: [UInt64] = []
        var isClosed = false
    }

    static let free: UInt64 = 0
    static let open: UInt64 = 1
    static let done: UInt64 = 2
    /// More different events at once are refused.
    private static let eventCountMax = 4096

    private let capacity: Int
    private let outputCount: Int
    // SAFETY: `capacity` words, freed in deinit; whoever calls in holds a reference to the inbox.
    // `nonisolated(unsafe)` because the pointer is never changed, and the words are atomic.
    private nonisolated(unsafe) let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let content = Mutex(Content())
    private let hasContent: Atomic<Bool> = Atomic(false)
    private let bell: Mutex<Bell> = Mutex(Bell())

    /// A struct, because a closure that is read out of a mutex by itself is wrapped once more each
    /// time: a million posts made calls a million deep.
    private struct Bell {
        var wake: (@Sendable () -> Void)?
    }

    init(capacity: Int, outputCount: Int) {
        self.capacity = capacity
        self.outputCount = outputCount
        words = .allocate(capacity: max(1, capacity))
        for place in 0..<capacity { (words + place).initialize(to: Atomic(Self.free)) }
    }

    deinit {
        for place in 0..<capacity { (words + place).deinitialize(count: 1) }
        words.deallocate()
    }

    // MARK: - Any thread

    /// Whether there is anything to take; one load.
    package var hasAny: Bool { hasContent.load(ordering: .acquiring) }

    /// Completes a call.
    ///
    /// - Returns: An `APUS_` code; see apus/async.h.
    func complete(
        token: UInt64,
        status: Int32,
        results: UnsafePointer<apus_result>?,
        count: UInt32
    ) -> Int32 {
        let place = Int(truncatingIfNeeded: token & UInt64(UInt32.max))
        let generation = token & ~UInt64(UInt32.max)
        guard place < capacity,
            words[place].load(ordering: .acquiring) == generation | Self.open
        else { return APUS_STALE }
        guard let copies = AsyncResults(results, count: count, outputCount: outputCount) else {
            return APUS_UNSUPPORTED
        }
        guard take(place, generation: generation) else { return APUS_STALE }
        add { $0.completions.append(Completion(place: place, status: status, results: copies)) }
        return APUS_OK
    }

    /// Asks for a call of on_event.
    func post(_ event: UInt64) -> Int32 {
        var code = APUS_OK
        add { content in
            if content.isClosed {
                code = APUS_STALE
            } else if !content.events.contains(event) {
                guard content.events.count < Self.eventCountMax else {
                    code = APUS_LIMIT
                    return
                }
                content.events.append(event)
            }
        }
        return code
    }

    private func add(_ change: (inout Content) -> Void) {
        content.withLock {
            change(&$0)
            hasContent.store(
                !$0.completions.isEmpty || !$0.events.isEmpty,
                ordering: .releasing
            )
        }
        bell.withLock { $0.wake }?()
    }

    /// Ends a call, whoever is first.
    ///
    /// - Returns: Whether it was under way until now.
    func take(_ place: Int, generation: UInt64) -> Bool {
        words[place].compareExchange(
            expected: generation | Self.open,
            desired: generation | Self.done,
            ordering: .acquiringAndReleasing
        ).exchanged
    }

    // MARK: - The task thread

    /// Sets what wakes the task thread.
    package func ring(_ wake: @escaping @Sendable () -> Void) { bell.withLock { $0.wake = wake } }

    /// Takes a place for a new call.
    ///
    /// - Returns: Its token.
    func begin(_ place: Int) -> UInt64 {
        let generation = (words[place].load(ordering: .relaxed) >> 32 &+ 1) << 32
        words[place].store(generation | Self.open, ordering: .releasing)
        return generation | UInt64(place)
    }

    /// Empties the inbox.
    func takeAll() -> (completions: [Completion], events: [UInt64]) {
        guard hasAny else { return ([], []) }
        return content.withLock { content in
            defer {
                content.completions.removeAll(keepingCapacity: true)
                content.events.removeAll(keepingCapacity: true)
                hasContent.store(false, ordering: .releasing)
            }
            return (content.completions, content.events)
        }
    }

    /// Refuses everything from now on.
    func close() {
        content.withLock { $0.isClosed = true }
        for place in 0..<capacity {
            let word = words[place].load(ordering: .relaxed)
            words[place].store(word & ~UInt64(UInt32.max) | Self.done, ordering: .releasing)
        }
        bell.withLock { $0.wake = nil }
    }
}
