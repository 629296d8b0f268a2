import ApusCore
import ApusIO
import ApusMemory
import ApusTestPlugins
import Testing

@testable import ApusRuntime

/// Goal: what a barrier has overtaken comes back whole, at the subtask that it belongs to, or not
/// at
/// all.
@Suite("Log of in-flight records")
struct InFlightLogTests {
    /// Records with and without keys, short and long, on two inputs.
    private static func batches() -> [(batch: RecordBatch, input: Int)] {
        (0..<4).map { number in
            let batch = RecordBatch(recordCapacity: 64, arenaCapacity: 64)
            for index in 0..<(number == 2 ? 0 : 10 * number + 3) {
                batch.append(
                    TestRecord(
                        key: index % 3 == 0 ? nil : String(repeating: "k", count: index % 40),
                        value: String(repeating: "v", count: index * 7 % 100) + "\(index)",
                        time: index % 4 == 0 ? .min : Int64(index) - 5
                    )
                )
                batch.hashes[index] = UInt64(100 * number + index)
            }
            return (batch, number % 2)
        }
    }

    private func write(_ folder: TestFolder) throws -> String {
        let path = folder.file("log")
        let log = try InFlightLog(path, checkpoint: 3, disk: LinuxDisk())
        for (batch, input) in Self.batches() { try log.append(batch, input: input) }
        let file = try log.finish()
        #expect(file.recordCount == Self.batches().reduce(0) { $0 + $1.batch.count })
        #expect(file.path == path)
        return path
    }

    private func all(_ replays: [InFlightLog.Replay]) -> [[TestRecord]] {
        (0..<2).map { input in
            replays.filter { $0.input == input }.flatMap { $0.batch.testRecords }
        }
    }

    @Test("gives back what was written, in order, by input")
    func givesBackWhatWasWritten() throws {
        let folder = try TestFolder()
        let replays = try InFlightLog.read(try write(folder), disk: LinuxDisk()) { _ in true }
        let expected = (0..<2).map { input in
            Self.batches().filter { $0.input == input }.flatMap { $0.batch.testRecords }
        }
        #expect(all(replays) == expected)
        let hashes = replays.flatMap { replay in
            (0..<replay.batch.count).map { replay.batch.hashes[$0] }
        }
        let written = Self.batches().flatMap { part in
            (0..<part.batch.count).map { part.batch.hashes[$0] }
        }
        #expect(hashes == written)
    }

    @Test("deals records out by the hashes of their keys")
    func dealsRecordsOut() throws {
        let folder = try TestFolder()
        let path = try write(folder)
        let parts = try (0..<3).map { part in
            all(try InFlightLog.read(path, disk: LinuxDisk()) { Int($0 % 3) == part })
        }
        let whole = all(try InFlightLog.read(path, disk: LinuxDisk()) { _ in true })
        for input in 0..<2 {
            #expect(parts.flatMap { $0[input] }.sorted() == whole[input].sorted())
        }
        #expect(parts.allSatisfy { !$0[0].isEmpty })
    }

    @Test("notices every truncation, and a change of what it is")
    func noticesEveryTruncation() throws {
        let folder = try TestFolder()
        let disk = LinuxDisk()
        let bytes = try disk.readAll(try write(folder), maximumByteCount: 1 << 20)
        for count in 0..<bytes.count {
            let path = try folder.write("cut", Array(bytes.prefix(count)))
            #expect(throws: EndpointError.self, "\(count) of \(bytes.count) bytes") {
                try InFlightLog.read(path, disk: disk) { _ in true }
            }
        }
        for index in 0..<8 {
            var changed = bytes
            changed[index] ^= 1
            let path = try folder.write("changed", changed)
            #expect(throws: EndpointError.self) {
                try InFlightLog.read(path, disk: disk) { _ in true }
            }
        }
        let path = try folder.write("longer", bytes + [0])
        #expect(throws: EndpointError.self) {
            try InFlightLog.read(path, disk: disk) { _ in true }
        }
    }
}
