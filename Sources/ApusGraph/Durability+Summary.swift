extension Durability {
    /// Lines about everything here, for `PlanText`; none when all is as if nothing were set.
    var summary: [String] {
        guard self != Durability() else { return [] }
        return (checkpoint?.summary ?? ["no checkpoints"])
            + ["\(storage.summary), \(budgetSummary)", "delivery \(jobDelivery.rawValue)"]
    }

    private var budgetSummary: String {
        let budget = memoryBudget ?? .standard
        switch budget {
        case .bytes: return "memory budget \(budget.text)"
        case .percent: return "memory budget \(budget.text) of what there is"
        }
    }
}

extension CheckpointDescription {
    fileprivate var summary: [String] {
        var first = "checkpoints in \(directory) every "
        first += DurationText.format(microseconds: intervalMicroseconds)
        if minPauseMicroseconds > 0 {
            first += ", pauses of at least "
            first += DurationText.format(microseconds: minPauseMicroseconds)
        }
        first += "; \(retainedCount) are kept"
        if let ioLimitBytesPerSecond {
            first += "; at most \(ByteSizeText.format(bytesPerSecond: ioLimitBytesPerSecond))"
        }
        let alignment =
            alignmentTimeoutMicroseconds.map {
                "unaligned after \(DurationText.format(microseconds: $0))"
            } ?? "always aligned"
        let failures =
            switch tolerableFailureCount {
            case nil: "failed attempts do not fail the job"
            case 0?: "a failed attempt fails the job"
            case let count?: "more than \(count) failed in a row fail the job"
            }
        let timeout = DurationText.format(microseconds: timeoutMicroseconds)
        return [first, "  \(alignment), abandoned after \(timeout); \(failures)"]
    }
}

extension StateStorage {
    fileprivate var summary: String {
        switch self {
        case .memory: "state in memory alone"
        case .rocksdb(nil): "state in rocksdb, where checkpoints are"
        case .rocksdb(let directory?): "state in rocksdb, in \(directory)"
        }
    }
}

extension ExpiryDescription {
    /// One line, for `PlanText`.
    var summary: String {
        let age = DurationText.format(microseconds: ttlMicroseconds)
        let refresh =
            switch refresh {
            case .write: "written"
            case .readAndWrite: "read or written"
            }
        return "state \(stateName) expires \(age) after it was last \(refresh), "
            + "in \(time.rawValue) time"
    }
}
