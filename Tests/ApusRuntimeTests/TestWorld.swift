import ApusCore
import ApusGraph
import ApusMemory
import ApusRuntime
import CAllocationCounter
import Glibc
import Synchronization

/// The monotonic clock of the system, and a clock on the wall that a test may set.
final class TestClock: Clock {
    private let wall: Atomic<Int64>

    /// Creates a clock; the wall shows `wall` microseconds until it is set.
    init(wall: Int64 = 1_000_000) {
        self.wall = Atomic(wall)
    }

    func monotonicNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    func wallMicroseconds() -> Int64 { wall.load(ordering: .relaxed) }

    func setWall(_ microseconds: Int64) { wall.store(microseconds, ordering: .relaxed) }
}

/// Threads of the system.
struct TestThreads: Threads {
    /// Whether the allocations of task threads are counted.
    var countsAllocations = false

    func start(
        name: String,
        role: ThreadRole,
        _ body: @escaping @Sendable () -> Void
    ) -> any RunningThread {
        TestThread(isCounted: countsAllocations && name.hasPrefix("apus-task-"), body)
    }
}

/// A thread of the system.
private final class TestThread: RunningThread {
    private final class Start: Sendable {
        let isCounted: Bool
        let body: @Sendable () -> Void
        init(_ isCounted: Bool, _ body: @escaping @Sendable () -> Void) {
            self.isCounted = isCounted
            self.body = body
        }
    }

    private let thread: pthread_t

    init(isCounted: Bool, _ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let start = Unmanaged.passRetained(Start(isCounted, body)).toOpaque()
        let status = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                if start.isCounted { allocation_counter_enter() }
                start.body()
                allocation_counter_leave()
                return nil
            },
            start
        )
        precondition(status == 0, "the system starts a thread")
        self.thread = thread
    }

    func join() { pthread_join(thread, nil) }

    func cpuNanoseconds() -> Int64 {
        var clock = clockid_t()
        var time = timespec()
        guard pthread_getcpuclockid(thread, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            return 0
        }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// Keeps dead letters, or refuses them.
final class TestDeadLetters: DeadLetters {
    /// A dead letter.
    struct Letter: Equatable {
        var node: String
        var position: String
        var reason: String
        var value: String
        var key: String?
        var time: Int64
    }

    private let isFailing: Bool
    private let kept: Mutex<[Letter]> = Mutex([])
    /// How many calls meet a full disk.
    private let fullCount: Mutex<Int>

    /// Creates an empty box; `isFailing` is the policy `fail`, and the first `fullCount` calls meet
    /// a full disk.
    init(isFailing: Bool = false, fullCount: Int = 0) {
        self.isFailing = isFailing
        self.fullCount = Mutex(fullCount)
    }

    var letters: [Letter] { kept.withLock { $0 } }

    func flush() {}

    func add(_ record: RejectedRecord, node: String) throws(EndpointError) {
        if isFailing { throw EndpointError("policy is fail: \(record.reason)") }
        let isFull = fullCount.withLock { count in
            count -= 1
            return count >= 0
        }
        if isFull { throw EndpointError("no space left", isRetryable: true) }
        kept.withLock {
            $0.append(
                Letter(
                    node: node,
                    position: record.position,
                    reason: record.reason,
                    value: String(decoding: record.bytes, as: UTF8.self),
                    key: record.key.map { String(decoding: $0, as: UTF8.self) },
                    time: record.time.microseconds
                )
            )
        }
    }
}

/// Makes the endpoints of a ``TestJob``.
struct TestEndpoints: EndpointFactory {
    typealias MakeSource =
        @Sendable (_ subtask: Int, _ key: (any KeyExtractor)?) throws(EndpointError) ->
        any RecordSource

    var sources: [String: MakeSource] = [:]
    var collectors: [String: Collector] = [:]
    /// Sinks whose output becomes visible with checkpoints, and where their logs go.
    var outboxes: [String: (target: OutboxTarget, logFolder: String)] = [:]
    /// Sinks that cannot be opened.
    var brokenSinks: Set<String> = []

    func makeSource(
        _ source: SourceDescription,
        key: KeySelector?,
        subtask: Int,
        subtaskCount: Int
    ) throws(EndpointError) -> any RecordSource {
        guard let make = sources[source.id] else { throw EndpointError("no source") }
        return try make(subtask, key == nil ? nil : PrefixKeyExtractor())
    }

    func makeSink(_ sink: SinkDescription, subtask: Int) throws(EndpointError) -> any RecordSink {
        if let outbox = outboxes[sink.id] {
            return OutboxSink(outbox.target, sink.id, subtask, folder: outbox.logFolder)
        }
        guard !brokenSinks.contains(sink.id), let collector = collectors[sink.id] else {
            throw EndpointError("cannot open the sink")
        }
        return CollectingSink(collector)
    }

    func makeDelivery(
        _ sink: SinkDescription
    ) throws(EndpointError) -> (any OutputDelivery)? {
        outboxes[sink.id].map { OutboxDelivery($0.target) }
    }

    func makeKeyExtractor(_ path: [String]) -> any KeyExtractor { PrefixKeyExtractor() }
}
