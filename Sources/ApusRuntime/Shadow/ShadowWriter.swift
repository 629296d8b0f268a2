import ApusMemory
import ApusState
import CApusPlugin

/// Writes the parts of a ``ShadowMessage``.
struct ShadowWriter {
    // SAFETY: bytes of a batch are copied while the caller holds the batch.

    /// What was written.
    private(set) var bytes: [UInt8] = []

    /// Forgets what was written; the memory stays.
    mutating func reset() { bytes.removeAll(keepingCapacity: true) }

    mutating func add(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Adds bytes behind their count.
    mutating func add(counted more: some Collection<UInt8>) {
        add(UInt32(more.count))
        bytes.append(contentsOf: more)
    }

    /// Adds bytes as they are.
    mutating func add(raw more: [UInt8]) { bytes.append(contentsOf: more) }

    /// Adds the records of a batch; only those of a keyed operator have hashes.
    mutating func add(records batch: RecordBatch, isKeyed: Bool) {
        for index in 0..<batch.count {
            add(batch.times[index])
            add(batch.kinds[index])
            add(isKeyed ? batch.hashes[index] : 0)
            add(counted: batch.bytes(of: batch.keys + index))
            add(counted: batch.bytes(of: batch.values + index))
        }
    }

    /// Adds a key and what it has.
    mutating func add(_ image: KeyImage) {
        add(counted: image.key)
        add(UInt32(image.values.count))
        for value in image.values {
            add(UInt32(value.slot))
            add(value.content)
        }
        add(UInt32(image.timers.count))
        for timer in image.timers {
            add(timer.domain)
            add(UInt32(timer.name))
            add(timer.id)
            add(timer.timeMicroseconds)
            add(counted: timer.payload)
        }
    }

    private mutating func add(_ content: KeyImage.Value.Content) {
        switch content {
        case .bytes(let bytes):
            add(UInt8(0))
            add(counted: bytes)
        case .number(let number):
            add(UInt8(1))
            add(number)
        case .list(let items):
            add(UInt8(2))
            add(items)
        case .map(let entries):
            add(UInt8(3))
            add(UInt32(entries.count))
            for entry in entries {
                add(counted: entry.key)
                add(counted: entry.value)
            }
        }
    }

    private mutating func add(_ items: [[UInt8]]) {
        add(UInt32(items.count))
        for item in items { add(counted: item) }
    }

    // MARK: - Messages

    /// A message of its own.
    static func message(_ kind: ShadowMessage.Kind, _ content: [UInt8] = []) -> [UInt8] {
        var writer = ShadowWriter()
        writer.add(UInt32(content.count + 1))
        writer.add(kind.rawValue)
        writer.add(raw: content)
        return writer.bytes
    }

    /// The message of a fork.
    static func message(_ fork: ShadowFork) -> [UInt8] {
        var writer = ShadowWriter()
        writer.add(fork.watermark)
        writer.add(UInt32(fork.broadcasts.count))
        for entries in fork.broadcasts {
            writer.add(UInt32(entries.count))
            for entry in entries {
                writer.add(counted: entry.key)
                writer.add(counted: entry.value)
            }
        }
        writer.add(UInt32(fork.operatorState.count))
        for items in fork.operatorState { writer.add(items) }
        writer.add(fork.snapshot.map { [$0] } ?? [])
        return message(.fork, writer.bytes)
    }
}
