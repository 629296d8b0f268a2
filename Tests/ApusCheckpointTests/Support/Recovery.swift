import ApusCore
import ApusTestSupport

@testable import ApusCheckpoint

/// What a new process finds on a disk.
enum Recovery {
    /// Opens the folder, restores the newest checkpoint, and compares all of it with what it was
    /// made of; then takes two more, to see that nothing stands in their way.
    ///
    /// - Parameters:
    ///   - model: The disk.
    ///   - contents: What each checkpoint holds.
    ///   - numbers: Which checkpoint may be the newest; 0 stands for none.
    ///   - isThorough: Whether to go on after restoring.
    ///   - message: Seed and step, for the report of a mismatch.
    /// - Returns: The number of the newest one.
    /// - Throws: ``Mismatch`` that says what was expected.
    @discardableResult
    static func check(
        _ model: DiskModel,
        _ contents: [UInt64: [String: [UInt8]]],
        newestIn numbers: Set<UInt64>,
        isThorough: Bool = true,
        _ message: @autoclosure () -> String
    ) throws -> UInt64 {
        let disk = FakeDisk(model)
        let warnings = Warnings()
        let manifest: Manifest?
        do {
            let folder = try TestJob.open(disk, warnings)
            manifest = try folder.latest()
            if let manifest { try compare(manifest, contents, folder, message()) }
            // Not only the newest: no manifest is ever without its files.
            let damaged = try folder.list().filter { !$0.isComplete }
            try ApusTestSupport.check(damaged.isEmpty, "\(message()): \(damaged)")
            folder.close()
        } catch {
            throw Mismatch("\(message()): \(error)")
        }
        let number = manifest?.number ?? 0
        try ApusTestSupport.check(
            numbers.contains(number),
            "\(message()): checkpoint \(number), not one of \(numbers.sorted())"
        )
        try ApusTestSupport.check(warnings.all.isEmpty, "\(message()): \(warnings.all)")
        guard isThorough else { return number }
        do {
            let job = try TestJob(disk, seed: number, contents: contents)
            try ApusTestSupport.check(
                contents.keys.allSatisfy { $0 < job.folder.nextNumber },
                "\(message()): the number \(job.folder.nextNumber) is given again"
            )
            for _ in 0..<2 {
                try job.takeCheckpoint()
                try job.folder.collectGarbage(isDryRun: false)
            }
            // The second collection has deleted what the first one had marked, and marked the rest.
            try job.folder.collectGarbage(isDryRun: false)
            try isTidy(job.folder, disk.model, message())
            let last = try require(try job.folder.latest(), message())
            try compare(last, job.contents, job.folder, message())
        } catch {
            throw Mismatch("\(message()): \(error)")
        }
        return number
    }

    /// Compares all files of a checkpoint with what they were made of.
    static func compare(
        _ manifest: Manifest,
        _ contents: [UInt64: [String: [UInt8]]],
        _ folder: CheckpointFolder,
        _ message: String
    ) throws {
        let expected = try require(contents[manifest.number], message)
        let names = manifest.files.map(\.logicalName)
        try checkEqual(names.sorted(), expected.keys.sorted(), message)
        let place = try folder.workDirectory("compare") + "/\(manifest.number)"
        try folder.materialize(manifest, into: place)
        for file in manifest.files {
            let isState = file.role == .state
            let path = isState ? place + "/" + file.logicalName : folder.path(of: file)
            let bytes = try folder.disk.readAll(path, maximumByteCount: 1 << 20)
            try checkEqual(bytes, expected[file.logicalName] ?? [], message + file.logicalName)
        }
        let position = manifest.sources.first?.position
        try ApusTestSupport.check(
            position == [UInt8(truncatingIfNeeded: manifest.number), 0xff, 0],
            "\(message): position \(position ?? [])"
        )
    }

    /// Whether nothing is left that no checkpoint needs.
    private static func isTidy(
        _ folder: CheckpointFolder,
        _ model: DiskModel,
        _ message: String
    ) throws {
        let listed = try folder.list()
        try ApusTestSupport.check(
            listed.allSatisfy { $0.isComplete && !$0.isAbandoned },
            "\(message): \(listed)"
        )
        let kept = listed.filter { $0.kind == .checkpoint }
        try ApusTestSupport.check(kept.count == 2, "\(message): \(kept.count) are kept")
        var needed: Set<String> = []
        for element in listed {
            needed.formUnion(try folder.manifest(element.number).contentNames)
        }
        let files = model.files(below: TestJob.path + "/files")
        let names = files.map { String($0.dropFirst(TestJob.path.count + 7)) }
        try checkEqual(names, needed.sorted(), message + ": files")
    }

    private static func require<Value>(_ value: Value?, _ message: String) throws -> Value {
        guard let value else { throw Mismatch("\(message): expected a value") }
        return value
    }
}
