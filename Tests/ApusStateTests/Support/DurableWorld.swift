import ApusIO
import ApusStore
import Foundation

@testable import ApusState

/// A database with a writer, in a folder of its own, that can be put back to a checkpoint.
final class DurableWorld {
    let folder: String
    let budget: MemoryBudget
    private(set) var database: StateDatabase
    private(set) var writer: StateWriter
    private var checkpointNumber: UInt64 = 0
    private var generation = 0

    init(budgetByteCount: Int) throws {
        folder = NSTemporaryDirectory() + "apus-state-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder + "/runs",
            withIntermediateDirectories: true
        )
        budget = MemoryBudget(byteCount: budgetByteCount)
        database = try Self.open(folder + "/db-0")
        writer = Self.makeWriter(database, folder, budget)
    }

    deinit {
        writer.close()
        database.close()
        try? FileManager.default.removeItem(atPath: folder)  // a leftover harms nobody
    }

    private static func open(_ path: String) throws -> StateDatabase {
        try StateDatabase(
            path: path,
            options: StateDatabase.Options(blockCacheByteCount: 8 << 20, backgroundThreadCount: 1)
        )
    }

    private static func makeWriter(
        _ database: StateDatabase,
        _ folder: String,
        _ budget: MemoryBudget
    ) -> StateWriter {
        StateWriter(
            database: database,
            directory: folder + "/runs",
            budget: budget,
            runByteCount: 64 << 10,
            threads: LinuxThreads(),
            notify: { print("note: \($0)") }
        )
    }

    func tier(
        groupCount: Int,
        isRestored: Bool,
        _ totals: StateTotals,
        operatorNumber: UInt16 = 7
    ) -> StateTier {
        StateTier(
            database: database,
            writer: writer,
            budget: budget,
            operatorNumber: operatorNumber,
            groups: 0..<groupCount,
            isRestored: isRestored,
            restored: totals,
            spillDirectory: folder + "/runs"
        )
    }

    /// The next checkpoint's number.
    func nextCheckpoint() -> UInt64 {
        checkpointNumber += 1
        return checkpointNumber
    }

    /// Where a checkpoint lies.
    func directory(_ number: UInt64) -> String { folder + "/checkpoint-\(number)" }

    /// Goes back to a checkpoint: everything since is forgotten.
    func restore(_ directory: String) throws {
        writer.close()
        database.close()
        generation += 1
        let path = folder + "/db-\(generation)"
        try FileManager.default.copyItem(atPath: directory, toPath: path)
        database = try Self.open(path)
        writer = Self.makeWriter(database, folder, budget)
        // The numbers go on, and nothing is under way.
        writer.releaseCheckpoint(checkpointNumber)
    }
}
