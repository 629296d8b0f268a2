import Synchronization

/// Something that a test opens and another thread looks at.
final class Gate: Sendable {
    private let isSet: Atomic<Bool>

    init(isOpen: Bool = false) {
        isSet = Atomic(isOpen)
    }

    var isOpen: Bool { isSet.load(ordering: .acquiring) }

    func open() { isSet.store(true, ordering: .releasing) }
}
