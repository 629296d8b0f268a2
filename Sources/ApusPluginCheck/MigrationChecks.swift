import ApusCore
import ApusIO
import ApusPluginHost
import ApusState
import CApusCheck
import CApusPlugin
import Synchronization

/// Migrations of state: F71.
enum MigrationChecks {
    /// A state that can be migrated.
    private struct Subject: @unchecked Sendable {
        // @unchecked because the function is [pure]: any thread may call it.
        let name: String
        let versions: Range<Int>
        let current: Int
        let migrate: apus_migrate
    }

    private struct Outcome: Equatable, Sendable {
        var code: Int32
        var bytes: [UInt8]
        var message: [UInt8]

        var text: String {
            code == APUS_OK
                ? OutputRecord.text(bytes)
                : "code \(code) '\(String(decoding: message, as: UTF8.self))'"
        }
    }

    static let migrate = Check(
        id: "F71",
        name: "pure-migration",
        demand: "migrate gives the same bytes for the same input, on any thread and several at "
            + "once, bears bytes of any kind, and makes of golden files what lies beside them",
        strictness: 5,
        isRandomised: true
    ) { bench in
        let subjects = subjects(bench)
        guard !subjects.isEmpty else { throw CheckStop.skip("it migrates no state") }
        var goldenCount = 0
        for subject in subjects {
            for version in subject.versions {
                let golden = try goldenFiles(bench, subject, version)
                goldenCount += golden.count
                for file in golden { try check(file, subject, version) }
                try checkPurity(bench, subject, version, golden.map(\.bytes))
            }
        }
        try bench.requireNone("e")
        return goldenCount > 0
            ? .pass("\(goldenCount) golden files")
            : .warn("no golden files; give bytes that older versions wrote with --golden")
    }

    private static func subjects(_ bench: CheckBench) -> [Subject] {
        let description = bench.description
        let table = bench.table.pointee
        // SAFETY: counts and pointers were checked when the description was read, and a state for
        // which the description knows a migration has the field.
        return description.states.enumerated().compactMap { index, state in
            guard state.migration.isGiven, let declared = table.states[index],
                let function = declared.pointee.migrate
            else { return nil }
            return Subject(
                name: state.slot.name,
                versions: state.migration.oldestReadable..<state.schemaVersion,
                current: state.schemaVersion,
                migrate: function
            )
        }
    }

    private static func call(_ subject: Subject, _ version: Int, _ bytes: [UInt8]) -> Outcome {
        let key = Array("key".utf8)
        var result = apus_check_migration()
        // SAFETY: all bytes live until the call has returned, which copies them first.
        key.withUnsafeBufferPointer { key in
            bytes.withUnsafeBufferPointer { bytes in
                apus_check_migrate(
                    subject.migrate,
                    UInt32(version),
                    UInt32(subject.current),
                    apus_bytes(data: key.baseAddress, len: UInt64(key.count)),
                    apus_bytes(data: nil, len: 0),
                    apus_bytes(data: bytes.baseAddress, len: UInt64(bytes.count)),
                    &result
                )
            }
        }
        defer { apus_check_free(result.bytes) }
        return Outcome(
            code: result.code,
            bytes: Array(UnsafeRawBufferPointer(start: result.bytes, count: Int(result.len))),
            message: withUnsafeBytes(of: result.message) {
                Array($0.prefix(Int(result.message_len)))
            }
        )
    }

    private static func checkPurity(
        _ bench: CheckBench,
        _ subject: Subject,
        _ version: Int,
        _ golden: [[UInt8]]
    ) throws {
        var random = bench.numbers(version)
        var inputs = golden
        for byteCount in [0, 1, 2, 4, 7, 8, 9, 12, 16, 24, 32, 64, 100, 1_000, 70_000] {
            inputs.append(Workload.bytes(byteCount, &random))
            inputs.append([UInt8](repeating: 0, count: byteCount))
        }
        for file in golden where !file.isEmpty {
            inputs.append(Array(file.dropLast()))
            inputs.append(file + [0])
        }
        for (number, bytes) in inputs.enumerated() {
            bench.note(
                "migrate '\(subject.name)' from version \(version): \(OutputRecord.text(bytes))"
            )
            let first = call(subject, version, bytes)
            guard first.code <= 0 || first.code == APUS_NOT_FOUND else {
                throw CheckStop.fail(
                    "migrate of '\(subject.name)' returned \(first.code), which is no result of it"
                )
            }
            if first.code < 0, first.message.isEmpty {
                throw CheckStop.fail(
                    "migrate of '\(subject.name)' returned \(first.code) and no message for "
                        + OutputRecord.text(bytes)
                )
            }
            var others = [call(subject, version, bytes)]
            if number % 4 == 0 { others += concurrently(bench, subject, version, bytes) }
            for other in others where other != first {
                throw CheckStop.fail(
                    "migrate of '\(subject.name)' from version \(version) made [\(first.text)] and "
                        + "then [\(other.text)] of [\(OutputRecord.text(bytes))]"
                )
            }
        }
    }

    private static func concurrently(
        _ bench: CheckBench,
        _ subject: Subject,
        _ version: Int,
        _ bytes: [UInt8]
    ) -> [Outcome] {
        let outcomes = Mutex<[Outcome]>([])
        let threads = (0..<4).map { number in
            bench.threads.start(name: "migrate-\(number)") {
                for _ in 0..<8 {
                    let outcome = call(subject, version, bytes)
                    outcomes.withLock { $0.append(outcome) }
                }
            }
        }
        for thread in threads { thread.join() }
        return outcomes.withLock { $0 }
    }

    // MARK: - Golden files

    private struct Golden {
        var path: String
        var bytes: [UInt8]
        /// What it must become; nil when nobody says.
        var expected: [UInt8]?
    }

    private static func goldenFiles(
        _ bench: CheckBench,
        _ subject: Subject,
        _ version: Int
    ) throws -> [Golden] {
        guard let folder = bench.settings.golden else { return [] }
        let place = "\(folder)/\(subject.name)/\(version)"
        guard bench.disk.exists(place) else { return [] }
        do {
            return try bench.disk.list(place).map(\.name).filter { $0.hasSuffix(".bin") }.map {
                let path = "\(place)/\($0)"
                let target = path.dropLast(4) + ".expected"
                return Golden(
                    path: path,
                    bytes: try bench.disk.readAll(path, maximumByteCount: 64 << 20),
                    expected: bench.disk.exists(String(target))
                        ? try bench.disk.readAll(String(target), maximumByteCount: 64 << 20) : nil
                )
            }
        } catch {
            throw CheckStop.fail("\(error) (--golden)")
        }
    }

    private static func check(_ golden: Golden, _ subject: Subject, _ version: Int) throws {
        let outcome = call(subject, version, golden.bytes)
        guard outcome.code == APUS_OK || outcome.code == APUS_NOT_FOUND else {
            throw CheckStop.fail("\(golden.path) cannot be migrated: \(outcome.text)")
        }
        guard let expected = golden.expected, expected != outcome.bytes else { return }
        throw CheckStop.fail(
            "\(golden.path) became [\(outcome.text)] instead of [\(OutputRecord.text(expected))]"
        )
    }
}
