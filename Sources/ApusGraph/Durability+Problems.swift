/// Settings that contradict each other, each at its place in the document; the reader of the file
/// adds the line.
extension JobDescription {
    /// An error for each pair of settings that cannot both hold.
    func checkDurability() -> [JobProblem] {
        durability.checkStorage() + durability.checkDelivery()
            + durability.checkAlignment() + sinks.flatMap(durability.check)
    }

    /// A warning for each setting that cannot do what it says.
    func findVainSettings() -> [JobProblem] {
        findVainBudget() + sinks.compactMap(findVainPromise)
    }

    private func findVainBudget() -> [JobProblem] {
        guard durability.storage == .memory, durability.memoryBudget != nil else { return [] }
        return [
            JobProblem(
                at: nil,
                path: "spec.memory.budget",
                found: "a budget for state that is in memory alone; it cannot be kept, because "
                    + "there is no place to move state to",
                remedy: "set 'checkpoint:'"
            )
        ]
    }

    /// A promise that the author made and that standard output can nearly keep.
    private func findVainPromise(_ sink: SinkDescription) -> JobProblem? {
        guard sink.kind == .stdout, (sink.delivery ?? durability.delivery) == .exactlyOnce else {
            return nil
        }
        return JobProblem(
            at: nil,
            path: "spec.sinks[\(sink.id)]\(sink.delivery == nil ? "" : ".delivery")",
            found: "'exactly-once' for standard output, which cannot be asked what reached it; "
                + "after a failure the output of one checkpoint may be printed again"
        )
    }
}

extension Durability {
    fileprivate func checkStorage() -> [JobProblem] {
        switch (storage, checkpoint) {
        case (.memory, nil):
            return []
        case (.memory, .some):
            return [
                JobProblem(
                    at: nil,
                    path: "spec.state.backend",
                    found: "'memory' together with 'checkpoint'",
                    expected: "'rocksdb', because a checkpoint is made of the files of the local "
                        + "database",
                    remedy: "remove 'backend:' or 'checkpoint:'"
                )
            ]
        case (.rocksdb, nil):
            return [
                JobProblem(
                    at: nil,
                    path: "spec.state.backend",
                    found: "'rocksdb' without 'checkpoint'",
                    expected: "'memory', because in this version the local database is there for "
                        + "checkpoints alone",
                    remedy: "or add 'checkpoint:' to 'spec:'"
                )
            ]
        case (.rocksdb(nil), .some):
            return []
        case (.rocksdb(let directory?), let checkpoint?):
            return Self.checkFolders(directory, checkpoint.directory)
        }
    }

    /// Refuses a database that lies in the folder of checkpoints, or that the folder lies in.
    private static func checkFolders(_ database: String, _ checkpoints: String) -> [JobProblem] {
        // A folder that could not be read has its own message.
        guard !database.isEmpty, !checkpoints.isEmpty else { return [] }
        let left = steps(database)
        let right = steps(checkpoints)
        guard left.starts(with: right) || right.starts(with: left) else { return [] }
        return [
            JobProblem(
                at: nil,
                path: "spec.state.dir",
                found: "a folder that is, holds or lies in the folder of checkpoints",
                expected: "a folder of its own, because the local database is removed and made "
                    + "again at every start",
                remedy: "or remove 'dir:' to have it made where checkpoints are"
            )
        ]
    }

    /// The names in a path; `a//./b/` is `a/b`, and links are not followed.
    private static func steps(_ path: String) -> [Substring] {
        let names = path.split(separator: "/").filter { $0 != "." }
        return path.hasPrefix("/") ? [""] + names : names
    }

    fileprivate func checkDelivery() -> [JobProblem] {
        guard checkpoint == nil, delivery == .exactlyOnce else { return [] }
        return [Self.exactlyOnceProblem(at: "spec.delivery")]
    }

    private static func exactlyOnceProblem(at path: String) -> JobProblem {
        JobProblem(
            at: nil,
            path: path,
            found: "'exactly-once' without 'checkpoint'",
            expected: "'at-least-once', because output is delivered exactly once only with the "
                + "checkpoint that holds it",
            remedy: "or add 'checkpoint:' to 'spec:'"
        )
    }

    /// Refuses an attempt that would be abandoned before it could become unaligned.
    fileprivate func checkAlignment() -> [JobProblem] {
        guard let checkpoint, let alignment = checkpoint.alignmentTimeoutMicroseconds else {
            return []
        }
        guard alignment != CheckpointDescription.defaultAlignmentTimeoutMicroseconds,
            alignment >= checkpoint.timeoutMicroseconds
        else { return [] }
        return [
            JobProblem(
                at: nil,
                path: "spec.checkpoint.alignment-timeout",
                found: "no less than 'timeout', after which an attempt is abandoned",
                expected: "less, or 'never'"
            )
        ]
    }

    fileprivate func check(_ sink: SinkDescription) -> [JobProblem] {
        let path = "spec.sinks[\(sink.id)]"
        if sink.delivery == .exactlyOnce && checkpoint == nil {
            return [Self.exactlyOnceProblem(at: "\(path).delivery")]
        }
        if sink.kind.isFolder && delivery(of: sink) == .atLeastOnce {
            return [
                JobProblem(
                    at: nil,
                    path: "\(path).config.path",
                    found: "a folder of part files for delivery 'at-least-once'",
                    expected: "a file, because a part file appears with the checkpoint that "
                        + "completes it",
                    remedy: checkpoint == nil
                        ? "add 'checkpoint:' to 'spec:', or remove the '/' at the end"
                        : "set 'delivery: exactly-once', or remove the '/' at the end"
                )
            ]
        }
        return []
    }
}
