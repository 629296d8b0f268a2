import ApusGraph

extension JobDecoder {
    /// Reads `checkpoint`, `state`, `memory` and `delivery` of `spec`.
    func decodeDurability(_ spec: ObjectReader<SpecKey>) -> Durability {
        Durability(
            checkpoint: decodeCheckpoint(spec),
            storage: decodeStorage(spec),
            memoryBudget: decodeMemory(spec),
            delivery: spec.choice(.delivery, DeliveryGuarantee.self)
        )
    }

    /// The rule for checkpoints, a stand-in if it is wrong; `nil` only if there is none.
    private func decodeCheckpoint(_ spec: ObjectReader<SpecKey>) -> CheckpointDescription? {
        guard let node = spec.value(.checkpoint) else { return nil }
        var result = CheckpointDescription(directory: "")
        let path = spec.path(.checkpoint)
        guard let reader = ObjectReader<CheckpointKey>(node, path: path, log: log) else {
            return result
        }
        let rule = "the folder for the checkpoints of this job"
        reader.require(.dir, rule)
        result.directory = reader.string(.dir, expected: rule) ?? ""
        result.intervalMicroseconds =
            reader.duration(.interval, in: CheckpointDescription.intervalRange, such: "10s")
            ?? result.intervalMicroseconds
        result.minPauseMicroseconds =
            reader.duration(.minPause, in: CheckpointDescription.minPauseRange, such: "5s")
            ?? result.minPauseMicroseconds
        result.timeoutMicroseconds =
            reader.duration(.timeout, in: CheckpointDescription.timeoutRange, such: "10m")
            ?? result.timeoutMicroseconds
        if !reader.isWord(.tolerableFailures, "unlimited") {
            result.tolerableFailureCount =
                reader.integer(.tolerableFailures, atLeast: 0, orWord: "unlimited")
        }
        result.alignmentTimeoutMicroseconds = decodeAlignmentTimeout(reader)
        result.retainedCount =
            reader.integer(.retain, in: CheckpointDescription.retainedCountRange)
            ?? result.retainedCount
        if !reader.isWord(.ioLimit, "unlimited") {
            result.ioLimitBytesPerSecond = reader.rate(
                .ioLimit,
                atLeast: CheckpointDescription.ioLimitMinBytesPerSecond,
                orWord: "unlimited"
            )
        }
        return result
    }

    private func decodeAlignmentTimeout(_ reader: ObjectReader<CheckpointKey>) -> Int64? {
        if reader.isWord(.alignmentTimeout, "never") { return nil }
        let range = CheckpointDescription.alignmentTimeoutRange
        return reader.duration(.alignmentTimeout, in: range, such: "1s", orWord: "never")
            ?? CheckpointDescription.defaultAlignmentTimeoutMicroseconds
    }

    private func decodeStorage(_ spec: ObjectReader<SpecKey>) -> StateStorage? {
        guard let node = spec.value(.state) else { return nil }
        let path = spec.path(.state)
        guard let reader = ObjectReader<StateKey>(node, path: path, log: log) else { return nil }
        let backend = reader.word(.backend, among: StateStorage.backendNames)
        let directory = reader.string(.dir, expected: "the folder of the local database")
        if backend == nil && reader.has(.backend) { return nil }
        switch backend ?? (spec.has(.checkpoint) ? "rocksdb" : "memory") {
        case "memory":
            if reader.has(.dir) {
                reader.report(
                    .dir,
                    "a folder for state that is in memory alone",
                    expected: "'backend: rocksdb'",
                    remedy: "or remove 'dir:'"
                )
            }
            return .memory
        default:
            // Without this a folder that could not be read would be missed as well.
            return .rocksdb(directory: reader.has(.dir) ? directory ?? "" : nil)
        }
    }

    private func decodeMemory(_ spec: ObjectReader<SpecKey>) -> BudgetDescription? {
        guard let node = spec.value(.memory) else { return nil }
        let path = spec.path(.memory)
        guard let reader = ObjectReader<MemoryKey>(node, path: path, log: log) else { return nil }
        let least = ByteSizeText.format(byteCount: BudgetDescription.byteCountMin)
        let percents = BudgetDescription.percentRange
        let expected =
            "a size of at least \(least), such as 256MiB, or "
            + "\(percents.lowerBound)% to \(percents.upperBound)% of the memory that there is"
        guard let value = reader.value(.budget), case .scalar(let scalar) = value.content,
            scalar.text.hasSuffix("%")
        else {
            return reader.size(.budget, atLeast: BudgetDescription.byteCountMin, expected: expected)
                .map { .bytes($0) }
        }
        let digits = scalar.text.dropLast()
        if digits.allSatisfy({ $0.isASCII && $0.isNumber }), let percent = Int(digits),
            percents.contains(percent)
        {
            return .percent(percent)
        }
        reader.report(.budget, value.summary, expected: expected)
        return nil
    }

    /// Reads the `state` of an operator: what expires when.
    func decodeExpiries(_ reader: ObjectReader<OperatorKey>) -> [ExpiryDescription] {
        guard let node = reader.value(.state), !node.isInvalid else { return [] }
        guard case .mapping(let entries) = node.content else {
            let expected = "a mapping from names of states to '{ ttl: ... }'"
            reader.report(.state, node.summary, expected: expected)
            return []
        }
        return entries.compactMap { entry in
            let path = reader.path(.state).key(entry.key)
            guard let state = ObjectReader<ExpiryKey>(entry.value, path: path, log: log) else {
                return nil
            }
            state.require(.ttl, "how long a value lives, such as 7d")
            return ExpiryDescription(
                stateName: entry.key,
                ttlMicroseconds: state.duration(.ttl, in: ExpiryDescription.ttlRange, such: "7d")
                    ?? ExpiryDescription.ttlRange.upperBound,
                refresh: state.choice(.refresh, ExpiryDescription.Refresh.self) ?? .write,
                time: state.choice(.time, ExpiryDescription.Time.self) ?? .processing,
                location: entry.keyLocation
            )
        }
    }
}
