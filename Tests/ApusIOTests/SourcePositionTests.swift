import ApusCore
import ApusMemory
import Testing

@testable import ApusIO

/// Who goes on from a position gets exactly what had not been given out.
@Suite("Positions of sources")
struct SourcePositionTests {
    /// What a source gave: a record, or one that it rejected.
    enum Event: Equatable {
        case record(ReadRecord)
        case reject(String, String, [UInt8])
    }

    /// A text, how it is read, and in what pieces.
    struct Case {
        var bytes: [UInt8]
        var parsing: RecordParsing
        var recordByteCountMax: Int
    }

    static func limits(_ chunkByteCount: Int, _ sample: Case) -> RecordReader.Limits {
        RecordReader.Limits(
            chunkByteCount: chunkByteCount,
            recordByteCountMax: sample.recordByteCountMax
        )
    }

    /// Reads at most so many batches; returns the events and whether the source has more.
    static func read(
        _ source: FileSource,
        batchCountMax: Int,
        recordCapacity: Int
    ) throws(EndpointError) -> (events: [Event], last: SourceProgress) {
        let batch = RecordBatch(recordCapacity: recordCapacity, arenaCapacity: 64)
        var events: [Event] = []
        var last = SourceProgress.advanced
        var batchCount = 0
        // Until something came, too: else a long record in small chunks would never be got over.
        while last == .advanced, batchCount < batchCountMax || events.isEmpty {
            batchCount += 1
            batch.reset()
            var rejects: [Event] = []
            last = try source.read(into: batch) { record in
                rejects.append(.reject(record.position, record.reason, record.bytes))
            }
            events += ReadRecords.records(of: batch).map { .record($0) } + rejects
        }
        return (events, last)
    }

    /// Rejects are reported while records wait in the batch: only the order of each kind is sure.
    static func sorted(_ events: [Event]) -> [[Event]] {
        func isRecord(_ event: Event) -> Bool { if case .record = event { true } else { false } }
        return [events.filter(isRecord), events.filter { !isRecord($0) }]
    }

    // MARK: - Samples

    static func sample(_ random: inout SplitMix64) -> Case {
        let isCSV = Bool.random(using: &random)
        // Small records beside chunks of many, and records that no chunk has in whole.
        let recordByteCountMax = [40, 300, 3000].randomElement(using: &random) ?? 40
        var bytes: [UInt8] = Int.random(in: 0..<4, using: &random) == 0 ? [0xef, 0xbb, 0xbf] : []
        let isWindows = Bool.random(using: &random)
        func lineEnd(_ random: inout SplitMix64) -> String {
            (Int.random(in: 0..<10, using: &random) == 0) != isWindows ? "\r\n" : "\n"
        }
        if isCSV { bytes += Array((Bool.random(using: &random) ? "\na,b" : "a,\"b\"").utf8) + [10] }
        for number in 0..<Int.random(in: 0..<100, using: &random) {
            let text =
                isCSV
                ? row(number, recordByteCountMax, &random)
                : line(number, recordByteCountMax, &random)
            bytes += Array((text + lineEnd(&random)).utf8)
        }
        if Bool.random(using: &random), !bytes.isEmpty { bytes.removeLast() }
        if Int.random(in: 0..<8, using: &random) == 0 {
            bytes += Array((isCSV ? "1,\"never closed\n2," : "{\"cut\":").utf8)
        }
        let emission: RecordFormat.Emission = Bool.random(using: &random) ? .json : .line
        return Case(
            bytes: bytes,
            parsing: isCSV ? CSVTests.parsing(emission) : RecordParsing(format: .jsonLines),
            recordByteCountMax: recordByteCountMax
        )
    }

    private static func padding(_ byteCountMax: Int, _ random: inout SplitMix64) -> String {
        let most = Int.random(in: 0..<12, using: &random) == 0 ? byteCountMax * 3 : 30
        return String(repeating: "x", count: Int.random(in: 0...most, using: &random))
    }

    private static func line(
        _ number: Int,
        _ byteCountMax: Int,
        _ random: inout SplitMix64
    ) -> String {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: ""
        case 1: "malformed \(number)"
        case 2: nearly(byteCountMax, &random)
        default: #"{"number":\#(number),"text":"\#(padding(byteCountMax, &random))"}"#
        }
    }

    /// A line around the limit to the byte, which comes with and without a carriage return.
    private static func nearly(_ byteCountMax: Int, _ random: inout SplitMix64) -> String {
        let count = byteCountMax - 8 + Int.random(in: 0...5, using: &random)
        return "{\"" + String(repeating: "y", count: count) + "\":1}"
    }

    private static func row(
        _ number: Int,
        _ byteCountMax: Int,
        _ random: inout SplitMix64
    ) -> String {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: ""
        case 1: "\(number),one,too many"
        case 2: "\(number),\"two\nlines and a \"\"quote\"\"\""
        case 3:
            "\(number),\"\(padding(byteCountMax, &random))\n,\n"
                + "\(padding(byteCountMax, &random))\""
        case 4: "\(number),a \"stray quote"
        default: "\(number),\(padding(byteCountMax, &random))"
        }
    }

    // MARK: - Tests

    @Test("a source goes on exactly where another one stood", arguments: 1...150)
    func aSourceGoesOn(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let sample = Self.sample(&random)
        let disk = MemoryDisk()
        let isCompressed = Int.random(in: 0..<3, using: &random) == 0
        let path = isCompressed ? "in.gz" : "in"
        disk[path] = isCompressed ? StoredGzip.bytes(sample.bytes, &random) : sample.bytes
        func source(_ chunkByteCount: Int) throws(EndpointError) -> FileSource {
            try FileSource(
                path: path,
                parsing: sample.parsing,
                follow: false,
                disk: disk,
                limits: Self.limits(chunkByteCount, sample)
            )
        }
        let whole: [Event]
        do {
            whole = try Self.read(source(1 << 16), batchCountMax: .max, recordCapacity: 50).events
        } catch {
            // A header that is missing or too long; then every chunk size must say so.
            #expect(throws: error) {
                try Self.read(source(7), batchCountMax: .max, recordCapacity: 5)
            }
            return
        }
        var events: [Event] = []
        var position: [UInt8]?
        var last = SourceProgress.advanced
        while last != .ended {
            let chunkByteCount = [1, 7, 64, 1000, 100_000].randomElement(using: &random) ?? 1
            let next = try source(chunkByteCount)
            if let position { try next.seek(to: position) }
            // What was not read yet does not move the position.
            if let position { #expect(next.position == position, "seed \(seed)") }
            let read = try Self.read(
                next,
                batchCountMax: Int.random(in: 1...60, using: &random),
                recordCapacity: Int.random(in: 1...20, using: &random)
            )
            events += read.events
            last = read.last
            position = next.position
        }
        #expect(Self.sorted(events) == Self.sorted(whole), "seed \(seed)")
        // The end is the end, even when the file has grown since.
        if !isCompressed { disk.extend(path, Array("\n{}\n1,2\n".utf8)) }
        let ended = try source(64)
        try ended.seek(to: try #require(position))
        let read = try Self.read(ended, batchCountMax: 2, recordCapacity: 9)
        #expect(read.events.isEmpty, "seed \(seed)")
        #expect(read.last == .ended, "seed \(seed)")
    }

    @Test("a source that follows a growing file goes on exactly", arguments: 1...100)
    func aFollowingSourceGoesOn(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed) << 20)
        var sample = Self.sample(&random)
        sample.bytes += [10]
        let disk = MemoryDisk()
        func source(_ chunkByteCount: Int, follow: Bool) throws(EndpointError) -> FileSource {
            try FileSource(
                path: "in",
                parsing: sample.parsing,
                follow: follow,
                disk: disk,
                limits: Self.limits(chunkByteCount, sample)
            )
        }
        disk["in"] = sample.bytes
        let whole: [Event]
        do {
            let source = try source(1 << 16, follow: false)
            whole = try Self.read(source, batchCountMax: .max, recordCapacity: 50).events
        } catch {
            return
        }
        disk["in"] = []
        var events: [Event] = []
        var position: [UInt8]?
        var written = 0
        while true {
            let next = try source(Int.random(in: 1...500, using: &random), follow: true)
            if let position { try next.seek(to: position) }
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let end = min(
                    sample.bytes.count,
                    written + Int.random(in: 0...2000, using: &random)
                )
                disk.extend("in", sample.bytes[written..<end])
                written = end
                let read = try Self.read(
                    next,
                    batchCountMax: Int.random(in: 1...400, using: &random),
                    recordCapacity: 10
                )
                events += read.events
                #expect(read.last != .ended)
            }
            position = next.position
            guard written == sample.bytes.count else { continue }
            events += try Self.read(next, batchCountMax: .max, recordCapacity: 10).events
            break
        }
        let (found, expected) = (Self.sorted(events), Self.sorted(whole))
        #expect(found[0] == expected[0], "seed \(seed)")
        // An unclosed quote waits for its end for ever, where the end of a file is one.
        if found[1] != expected[1] {
            #expect(found[1] == expected[1].dropLast(), "seed \(seed)")
            #expect(expected[1].last.map(Self.isUnclosed) == true, "seed \(seed)")
        }
    }

    /// Whether a quote has swallowed even the last line break.
    private static func isUnclosed(_ event: Event) -> Bool {
        if case .reject(_, _, let bytes) = event { bytes.last == 10 } else { false }
    }
}

/// Makes gzip of what is not compressed at all: in random members of random blocks.
enum StoredGzip {
    static func bytes(_ content: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var result: [UInt8] = []
        var rest = content[...]
        repeat {
            let member = rest.prefix(Int.random(in: 0...max(1, content.count), using: &random))
            rest = rest.dropFirst(member.count)
            result += [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
            var blocks = member
            repeat {
                let block = blocks.prefix(Int.random(in: 1...60_000, using: &random))
                blocks = blocks.dropFirst(block.count)
                result.append(blocks.isEmpty ? 1 : 0)
                let count = UInt16(block.count)
                result += [UInt8(count & 0xff), UInt8(count >> 8)]
                result += [UInt8(~count & 0xff), UInt8(~count >> 8)]
                result += block
            } while !blocks.isEmpty
            result += word(checksum(member)) + word(UInt32(member.count))
        } while !rest.isEmpty
        return result
    }

    private static func word(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    /// CRC-32 as RFC 1952 has it.
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var value: UInt32 = 0xffff_ffff
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 1 ? 0xedb8_8320 : 0) }
        }
        return ~value
    }
}
