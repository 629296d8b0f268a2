/// The seam to threads.
package protocol Threads: Sendable {
    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: Shown by `top` and debuggers; cut to 15 bytes.
    ///   - role: How it shares the processors.
    ///   - body: What it runs.
    /// - Returns: A handle that must be joined.
    func start(
        name: String,
        role: ThreadRole,
        _ body: @escaping @Sendable () -> Void
    ) -> any RunningThread

    /// Starts a thread of the standard role if the system has one left.
    ///
    /// - Returns: Nil when there are as many threads as the system allows.
    func startIfPossible(
        name: String,
        _ body: @escaping @Sendable () -> Void
    ) -> (any RunningThread)?
}

extension Threads {
    /// Starts a thread of the standard role; see ``start(name:role:_:)``.
    package func start(
        name: String,
        _ body: @escaping @Sendable () -> Void
    ) -> any RunningThread {
        start(name: name, role: .standard, body)
    }

    // doc: inherited
    package func startIfPossible(
        name: String,
        _ body: @escaping @Sendable () -> Void
    ) -> (any RunningThread)? {
        start(name: name, role: .standard, body)
    }
}

/// A thread that was started.
package protocol RunningThread: Sendable {
    /// Waits for the thread's end.  Once only.
    func join()

    /// The processor time the thread has used so far, in nanoseconds; 0 when it has ended.
    func cpuNanoseconds() -> Int64
}
