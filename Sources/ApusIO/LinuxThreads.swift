package import ApusCore
import CApusShims
import Glibc
import Synchronization

/// The threads of the kernel.
package struct LinuxThreads: Threads {
    /// The size of each thread's stack.
    private static let stackByteCount = 8 << 20

    /// Creates the seam to real threads.
    package init() {}

    // doc: inherited
    package func start(
        name: String,
        role: ThreadRole,
        _ body: @escaping @Sendable () -> Void
    ) -> any RunningThread {
        let (thread, status) = create(name, role, body)
        guard let thread else {
            preconditionFailure("cannot start a thread: \(DiskError.text(of: status))")
        }
        return thread
    }

    // doc: inherited
    package func startIfPossible(
        name: String,
        _ body: @escaping @Sendable () -> Void
    ) -> (any RunningThread)? {
        create(name, .standard, body).thread
    }

    /// A thread, or why there is none.
    private func create(
        _ name: String,
        _ role: ThreadRole,
        _ body: @escaping @Sendable () -> Void
    ) -> (thread: LinuxThread?, status: Int32) {
        let start = ThreadStart(name: name, role: role, body: body)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, Self.stackByteCount)
        defer { pthread_attr_destroy(&attributes) }
        var thread = pthread_t()
        // SAFETY: the retain travels with the pointer; the new thread takes it over.
        let retained = Unmanaged.passRetained(start)
        let status = pthread_create(&thread, &attributes, runThread, retained.toOpaque())
        guard status == 0 else {
            retained.release()
            return (nil, status)
        }
        return (LinuxThread(thread, start), 0)
    }
}

/// The first function of each thread.
private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { preconditionFailure("a thread starts with its start") }
    // SAFETY: the pointer was retained for this thread when it was started.
    let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
    let number = apus_thread_number()
    HostThreads.begin(number)
    defer { HostThreads.end(number) }
    setName(start.name)
    schedule(start.role)
    start.body()
    start.hasEnded.store(true, ordering: .relaxed)
    return nil
}

/// How long a task thread's turns are, in nanoseconds: a thread with shorter turns than the running
/// one takes its place as soon as it wakes.
private let taskSlice: Int64 = 300_000

/// Sets how the calling thread shares the processors.
private func schedule(_ role: ThreadRole) {
    switch role {
    case .task: apus_schedule_this_thread(0, taskSlice)
    case .standard: break
    case .background: apus_schedule_this_thread(Int32(apus_background_nice), 0)
    }
}

/// Gives the calling thread a name, through the file for that: Swift does not see the function.
private func setName(_ name: String) {
    let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    // The kernel cuts the name to 15 bytes; a thread without a name runs as well.
    _ = write(descriptor, name, name.utf8.count)
    close(descriptor)
}

/// What a thread gets from the one that starts it.
private final class ThreadStart: Sendable {
    let name: String
    let role: ThreadRole
    let body: @Sendable () -> Void
    /// Relaxed: says only that the thread's clock is no longer worth asking.
    let hasEnded = Atomic<Bool>(false)

    init(name: String, role: ThreadRole, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.role = role
        self.body = body
    }
}

/// A thread of the kernel.
private final class LinuxThread: RunningThread {
    private let thread: pthread_t
    private let start: ThreadStart
    private let clock: clockid_t
    private let isJoined = Atomic<Bool>(false)

    init(_ thread: pthread_t, _ start: ThreadStart) {
        self.thread = thread
        self.start = start
        // The number of the clock is found while the thread has not been joined and so exists for
        // certain; asking the clock later is allowed even when the thread is gone.
        var clock = clockid_t()
        let status = pthread_getcpuclockid(thread, &clock)
        self.clock = status == 0 ? clock : -1
        if status != 0 { start.hasEnded.store(true, ordering: .relaxed) }
    }

    deinit {
        if !isJoined.load(ordering: .relaxed) { pthread_detach(thread) }
    }

    func join() {
        // Relaxed: only guards against a second call; pthread_join orders the rest.
        let wasJoined = isJoined.exchange(true, ordering: .relaxed)
        precondition(!wasJoined, "a thread is joined once")
        let status = pthread_join(thread, nil)
        precondition(status == 0, "cannot join: \(DiskError.text(of: status))")
    }

    func cpuNanoseconds() -> Int64 {
        if start.hasEnded.load(ordering: .relaxed) { return 0 }
        var time = timespec()
        guard clock_gettime(clock, &time) == 0 else { return 0 }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
