import Synchronization

/// The threads that the host has started and that still run, by the system's numbers.
///
/// What else runs in the process was started by a plugin, or by a library.
package enum HostThreads {
    private static let numbers: Mutex<Set<Int32>> = Mutex([])

    /// Notes a thread; called by the thread itself when it starts.
    package static func begin(_ number: Int32) { numbers.withLock { _ = $0.insert(number) } }

    /// Forgets a thread; called by the thread itself when it ends.
    package static func end(_ number: Int32) { numbers.withLock { _ = $0.remove(number) } }

    /// Those that run now.
    package static var all: Set<Int32> { numbers.withLock { $0 } }
}
