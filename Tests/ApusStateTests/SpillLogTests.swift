import ApusStore
import Foundation
import Testing

@testable import ApusState

/// The log of spilled rows: segments, and a file that cannot be written.
@Suite("SpillLog")
final class SpillLogTests {
    private let folder = NSTemporaryDirectory() + "apus-spill-\(UUID().uuidString)"

    init() throws {
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)  // a leftover harms nobody
    }

    private static let byteCount = 1024
    private static let recordsPerSegment = SpillLog.segmentByteCount / byteCount

    /// Adds a record whose hash is `number`.
    private func add(_ number: Int, to log: SpillLog) throws(StoreError) -> Int {
        let added = try log.append(byteCount: Self.byteCount)
        let rest = Self.byteCount - SpillRecord.headerByteCount
        _ = SpillRecord.begin(
            at: added.place,
            hash: UInt64(number),
            keyByteCount: 0,
            rowByteCount: rest,
            SpillRecord.Standing(epoch: 1, flush: number, isStored: true)
        )
        return added.location
    }

    @Test("gives back what was put in, and uses segments again")
    func givesBackWhatWasPutIn() throws {
        let log = SpillLog(directory: folder, name: "rows")
        var locations: [Int] = []
        for number in 0..<3 * Self.recordsPerSegment { locations.append(try add(number, to: log)) }
        for (number, location) in locations.enumerated() {
            let record = try log.read(location)
            #expect(record.hash == UInt64(number))
            #expect(record.byteCount == Self.byteCount)
            #expect(
                record.standing == SpillRecord.Standing(epoch: 1, flush: number, isStored: true)
            )
        }
        #expect(log.sequences == 0..<3)
        for location in locations.prefix(Self.recordsPerSegment) {
            log.release(location, byteCount: Self.byteCount)
        }
        #expect(log.isDead(0))
        #expect(!log.isDead(1))
        log.removeFirst()
        #expect(log.sequences == 1..<3)
        let again = try add(7, to: log)
        #expect(again == locations[0], "the place of the segment that was taken back")
        #expect(try log.read(again).hash == 7)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }

    @Test("refuses a record when the file cannot be made, and keeps the others")
    func refusesWhenTheFileCannotBeMade() throws {
        let log = SpillLog(directory: folder + "/missing", name: "rows")
        var locations: [Int] = []
        for number in 0..<Self.recordsPerSegment { locations.append(try add(number, to: log)) }
        for _ in 0..<2 {
            let error = #expect(throws: StoreError.self) { try self.add(1, to: log) }
            #expect(error?.path == folder + "/missing/rows")
            #expect(error?.reason == "No such file or directory")
        }
        for (number, location) in locations.enumerated() {
            #expect(try log.read(location).hash == UInt64(number))
        }
        #expect(log.liveByteCount == SpillLog.segmentByteCount)
    }

    @Test("goes on when there is space again")
    func goesOnWhenThereIsSpaceAgain() throws {
        let log = SpillLog(directory: folder + "/later", name: "rows")
        for number in 0..<Self.recordsPerSegment { _ = try add(number, to: log) }
        #expect(throws: StoreError.self) { try self.add(1, to: log) }
        try FileManager.default.createDirectory(
            atPath: folder + "/later",
            withIntermediateDirectories: true
        )
        let location = try add(99, to: log)
        #expect(try log.read(location).hash == 99)
        #expect(try log.read(0).hash == 0)
    }
}
