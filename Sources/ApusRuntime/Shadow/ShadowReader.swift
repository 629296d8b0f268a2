import ApusMemory
import ApusState

/// Reads the parts of a ``ShadowMessage``; nothing is trusted.
///
/// Every function gives nil when the bytes end too soon, or are none of it.
struct ShadowReader {
    private let bytes: ArraySlice<UInt8>
    private var at: Int

    /// Begins to read.
    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        at = bytes.startIndex
    }

    private mutating func read<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
        let byteCount = Number.bitWidth / 8
        guard bytes.endIndex - at >= byteCount else { return nil }
        defer { at += byteCount }
        let offset = at - bytes.startIndex
        return bytes.withUnsafeBytes {
            // SAFETY: so many bytes are left.
            Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Number.self))
        }
    }

    private mutating func counted() -> [UInt8]? {
        guard let count = read(UInt32.self), bytes.endIndex - at >= Int(count) else { return nil }
        defer { at += Int(count) }
        return Array(bytes[at..<at + Int(count)])
    }

    private mutating func list<Element>(
        _ element: (inout ShadowReader) -> Element?
    ) -> [Element]? {
        guard let count = read(UInt32.self) else { return nil }
        var elements: [Element] = []
        for _ in 0..<count {
            guard let next = element(&self) else { return nil }
            elements.append(next)
        }
        return elements
    }

    // MARK: - Messages

    mutating func fork() -> ShadowFork? {
        guard let watermark = read(Int64.self),
            let broadcasts = list({ $0.list { $0.entry() } }),
            let operatorState = list({ $0.list { $0.counted() } }),
            let snapshot = list({ $0.counted() }), at == bytes.endIndex
        else { return nil }
        return ShadowFork(
            watermark: watermark,
            broadcasts: broadcasts.map { entries in
                entries.map { BroadcastEntry(key: $0.key, value: $0.value) }
            },
            operatorState: operatorState,
            snapshot: snapshot.first
        )
    }

    mutating func step() -> ShadowStep? {
        guard let what = read(UInt8.self).flatMap(ShadowStep.What.init),
            let input = read(UInt32.self), let now = read(Int64.self),
            let watermark = read(Int64.self), let images = list({ $0.image() }),
            let records = records(), let outputs = list({ $0.counted() }), at == bytes.endIndex
        else { return nil }
        return ShadowStep(
            what: what,
            input: Int(input),
            now: now,
            watermark: watermark,
            images: images,
            records: records,
            outputs: outputs
        )
    }

    private mutating func entry() -> (key: [UInt8], value: [UInt8])? {
        guard let key = counted(), let value = counted() else { return nil }
        return (key, value)
    }

    private mutating func image() -> KeyImage? {
        guard let key = counted(), let values = list({ $0.value() }),
            let timers = list({ $0.timer() })
        else { return nil }
        return KeyImage(key: key, values: values, timers: timers, isWhole: true)
    }

    private mutating func value() -> KeyImage.Value? {
        guard let slot = read(UInt32.self), let kind = read(UInt8.self) else { return nil }
        let content: KeyImage.Value.Content?
        switch kind {
        case 0: content = counted().map { .bytes($0) }
        case 1: content = read(Int64.self).map { .number($0) }
        case 2: content = list({ $0.counted() }).map { .list($0) }
        case 3: content = list({ $0.entry() }).map { .map($0) }
        default: content = nil
        }
        return content.map { KeyImage.Value(slot: Int(slot), content: $0) }
    }

    private mutating func timer() -> StoredRow.Timer? {
        guard let domain = read(UInt8.self), let name = read(UInt32.self),
            let id = read(UInt64.self), let time = read(Int64.self), let payload = counted()
        else { return nil }
        return StoredRow.Timer(
            domain: domain,
            name: Int(name),
            id: id,
            timeMicroseconds: time,
            payload: payload
        )
    }

    private mutating func records() -> RecordBatch? {
        guard let count = read(UInt32.self), count <= RecordBatch.recordCapacityMax else {
            return nil
        }
        let batch = RecordBatch(recordCapacity: max(1, Int(count)), arenaCapacity: 4096)
        for index in 0..<Int(count) {
            guard let time = read(Int64.self), let kind = read(UInt8.self),
                let hash = read(UInt64.self), let key = counted(), let value = counted()
            else { return nil }
            let isAppended = key.withUnsafeBytes { key in
                value.withUnsafeBytes { batch.append(key: key, value: $0, time: time) }
            }
            guard isAppended else { return nil }
            batch.kinds[index] = kind
            batch.hashes[index] = hash
        }
        return batch
    }
}
