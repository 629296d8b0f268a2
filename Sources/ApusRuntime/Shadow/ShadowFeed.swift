import ApusMemory
import Synchronization

/// The messages of a task thread on their way to the process of a shadow.
///
/// The task thread never waits for it.
package final class ShadowFeed: Sendable {
    private struct Content {
        var messages: [[UInt8]] = []
        var byteCount = 0
    }

    /// The most bytes that wait.
    package static let byteCountMax = 64 << 20

    private let content: Mutex<Content> = Mutex(Content())
    private let closed: Atomic<Bool> = Atomic(false)
    private let overflown: Atomic<Bool> = Atomic(false)
    private let bell = Doorbell()

    /// Creates an empty one.
    package init() {}

    /// Whether nothing more is wanted, or there is nothing more; one load.
    package var isClosed: Bool { closed.load(ordering: .acquiring) }

    /// Whether the other process was too slow, and something is missing.
    package var hasOverflown: Bool { overflown.load(ordering: .acquiring) }

    /// How many bytes wait.
    var waitingByteCount: Int { content.withLock { $0.byteCount } }

    /// Ends it; what waits can still be taken.
    package func close() {
        closed.store(true, ordering: .releasing)
        bell.ring()
    }

    /// Adds a message.
    func post(_ message: [UInt8]) {
        guard !isClosed else { return }
        let hasRoom = content.withLock { content in
            guard content.byteCount + message.count <= Self.byteCountMax else { return false }
            content.messages.append(message)
            content.byteCount += message.count
            return true
        }
        if !hasRoom {
            overflown.store(true, ordering: .releasing)
            return close()
        }
        bell.ring()
    }

    /// Takes all messages that wait, after some time when there are none.
    package func take(waitingNanoseconds: Int64) -> [[UInt8]] {
        bell.sleep(nanoseconds: waitingNanoseconds) {
            isClosed || content.withLock { !$0.messages.isEmpty }
        }
        return content.withLock { content in
            defer { content = Content() }
            return content.messages
        }
    }
}
