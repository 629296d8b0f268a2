import Glibc

/// A thread of the operating system, for tests of what two threads share.
///
/// Its body may spin and block, which a task of the cooperative pool may not.
package final class TestThread {
    private final class Box {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    private var thread = pthread_t()

    /// Starts a thread that runs `body`; it must be joined.
    package init(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Box(body))
        let code = pthread_create(
            &thread,
            nil,
            { context in
                if let context { Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            },
            box.toOpaque()
        )
        precondition(code == 0, "the system starts a thread")
    }

    /// Waits for the thread's end.
    ///
    /// Once only.
    package func join() {
        pthread_join(thread, nil)
    }

    /// Lets other threads run: for loops that wait, also on a machine with one core.
    package static func yield() {
        sched_yield()
    }
}
