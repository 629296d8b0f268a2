import Synchronization

/// The inboxes of all instances that are open, by the instances' numbers.
///
/// One per process, because a plugin names an instance by its number from any thread, also when the
/// instance is gone.
enum AsyncInboxes {
    private static let inboxes: Mutex<[UInt64: AsyncInbox]> = Mutex([:])

    static func add(_ inbox: AsyncInbox, _ instance: UInt64) {
        inboxes.withLock { $0[instance] = inbox }
    }

    static func remove(_ instance: UInt64) { inboxes.withLock { $0[instance] = nil } }

    /// The inbox of an instance; nil when it is closed, or never was.
    static func find(_ instance: UInt64) -> AsyncInbox? { inboxes.withLock { $0[instance] } }
}
