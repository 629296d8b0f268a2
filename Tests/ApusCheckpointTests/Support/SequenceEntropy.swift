import ApusCore
import Synchronization

/// Random numbers that are the same each time.
final class SequenceEntropy: Entropy {
    private let random: Mutex<SplitMix64>

    init(seed: UInt64 = 1) {
        random = Mutex(SplitMix64(seed: seed))
    }

    func seed() -> UInt64 { random.withLock { $0.next() } }
}

/// Collects what a folder warns of.
final class Warnings: Sendable {
    private let texts: Mutex<[String]> = Mutex([])

    func add(_ text: String) { texts.withLock { $0.append(text) } }

    var all: [String] { texts.withLock { $0 } }
}
