import Synchronization

/// Lets one thread at a time into a library that is not declared thread-safe.
///
/// One per library and not per function: `strtok` and its kind share what they write to with
/// others.  It is taken once per batch.
final class FunctionLock: Sendable {
    private static let all: Mutex<[String: FunctionLock]> = Mutex([:])

    private let mutex: Mutex<Void> = Mutex(())

    private init() {}

    /// The lock of a library, by its path as the dynamic linker has it.
    static func of(library path: String) -> FunctionLock {
        all.withLock { locks in
            let lock = locks[path] ?? FunctionLock()
            locks[path] = lock
            return lock
        }
    }

    /// Runs `body` when no other thread is in the library.
    func withLock(_ body: () -> Int32) -> Int32 { mutex.withLock { _ in body() } }
}
