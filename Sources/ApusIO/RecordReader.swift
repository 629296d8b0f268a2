import ApusCore
import ApusMemory
import Glibc

/// Reads records from a file, a pipe or a terminal: what all text sources share.
///
/// Chunks are read into a window, records are found in it, and those that are kept as they are go
/// into the batch's arena together, with one copy for all of them.  One thread.
final class RecordReader {
    /// What the end of the file means.
    enum EndPolicy {
        /// There will never be more.
        case ends
        /// More may come, as long as the file is still there.
        case waits
    }

    /// How large pieces are and may become.
    struct Limits {
        /// How much is read at once, in bytes.
        var chunkByteCount = 256 << 10
        /// The size of the largest record, in bytes.
        var recordByteCountMax = 16 << 20
    }

    /// How many chunks are read for one batch when no record ends in them.
    private static let fillCountMax = 16
    /// A batch that has so many bytes gets no further records that are written one by one.
    private static let arenaByteCountMax = 1 << 20
    /// What is kept of a record that is too long.
    private static let keptByteCountMax = 1 << 20

    let name: String
    let file: any ReadableFile
    let parsing: RecordParsing
    let endPolicy: EndPolicy
    let limits: Limits

    let window: InputWindow
    private(set) var splitter: RecordSplitter
    /// What finds records that are frames; nil for lines.
    private var frames: FrameQueue?
    private var converter: (any RecordConverter)?
    private var hasBegun = false
    /// Whether the end of the file was read; what the window still has is the last record.
    private(set) var isFinal = false
    /// Whether the end had been reached where the reader was told to go on: nothing is read.
    private(set) var hadEnded = false
    /// Where the header line ended; 0 for none.
    private(set) var headerEnd = 0
    /// What the header line was; 0 for none.
    private(set) var headerHash: UInt64 = 0
    private var slices: [RecordSplitter.Slice] = []

    /// Creates a reader at the start of a file.
    ///
    /// - Parameters:
    ///   - name: What messages call the file.
    ///   - file: Open, nothing read.
    ///   - parsing: How its bytes become records.
    ///   - endPolicy: What its end means.
    ///   - limits: How large pieces are and may become.
    ///   - frames: What finds records that are frames.
    init(
        name: String,
        file: any ReadableFile,
        parsing: RecordParsing,
        endPolicy: EndPolicy,
        limits: Limits = Limits(),
        frames: (any FrameSplitter)? = nil
    ) {
        precondition((parsing.format == .frames) == (frames != nil), "frames need a splitter")
        self.name = name
        self.file = file
        self.parsing = parsing
        self.endPolicy = endPolicy
        self.limits = limits
        window = InputWindow(capacity: limits.chunkByteCount * 2)
        switch parsing.format {
        case .jsonLines:
            converter = JSONLineConverter(parsing)
            splitter = RecordSplitter(delimiter: nil, byteCountMax: limits.recordByteCountMax)
        case .lines, .frames:
            converter = PlainConverter()
            splitter = RecordSplitter(delimiter: nil, byteCountMax: limits.recordByteCountMax)
            self.frames = frames.map {
                FrameQueue($0, byteCountMax: limits.recordByteCountMax)
            }
            // Frames begin with the first byte, whatever it is.
            hasBegun = frames != nil
        case .csv(let delimiter, _):
            splitter = RecordSplitter(
                delimiter: delimiter,
                byteCountMax: limits.recordByteCountMax
            )
        }
    }

    /// Appends the next records to an empty batch; see ``RecordSource``.
    ///
    /// - Throws: ``EndpointError`` that names the file.
    func read(
        into batch: RecordBatch,
        reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> SourceProgress {
        if hadEnded { return .ended }
        for _ in 0..<Self.fillCountMax {
            if try takeRecords(batch, reject) { return .advanced }
            if isFinal {
                if converter == nil { throw EndpointError("\(name): there is no header line") }
                return .ended
            }
            guard file.isReady(waitingMilliseconds: 0) else { return .nothingYet }
            if try fill() { continue }
            switch endPolicy {
            case .ends: isFinal = true
            case .waits: return .nothingYet
            }
        }
        return .advanced
    }

    /// Reads a chunk; false at the end of the file.
    func fill() throws(EndpointError) -> Bool {
        do throws(DiskError) {
            return try window.fill(from: file, byteCount: limits.chunkByteCount) > 0
        } catch {
            throw EndpointError(error.description)
        }
    }

    /// Appends or rejects the records that the window holds; false when it holds none.
    private func takeRecords(
        _ batch: RecordBatch,
        _ reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> Bool {
        guard try takeHeader(isFinal: isFinal), let converter else { return false }
        return converter.keepsPieces
            ? try takeBlock(converter, batch, reject) : try takeEach(converter, batch, reject)
    }

    /// Takes what is before the records, unless that was done; false when the window lacks a part.
    func takeHeader(isFinal: Bool) throws(EndpointError) -> Bool {
        guard begin(isFinal: isFinal) else { return false }
        if converter != nil { return true }
        guard let slice = splitter.next(in: window, isFinal: isFinal) else { return false }
        converter = try readHeader(slice)
        headerEnd = window.unreadOffset
        headerHash = KeyHash.of(window.bytes(at: slice.index, count: slice.byteCount).buffer)
        return true
    }

    /// Goes on behind what the window has used, as another reader left off there.
    func resume(at position: FilePosition) {
        hasBegun = position.offset > 0 || frames != nil
        hadEnded = position.hasEnded
        splitter.resume(lineNumber: position.lineNumber, isSkipping: position.isSkipping)
    }

    /// Skips a byte order mark at the very start; false as long as that cannot be told.
    private func begin(isFinal: Bool) -> Bool {
        if hasBegun { return true }
        let unread = window.unread
        guard unread.count >= 3 || isFinal else { return false }
        hasBegun = true
        if unread.count >= 3, unread[0] == 0xef, unread[1] == 0xbb, unread[2] == 0xbf {
            window.consume(3)
        }
        return true
    }

    private func readHeader(
        _ slice: RecordSplitter.Slice
    ) throws(EndpointError) -> any RecordConverter {
        guard case .csv(let delimiter, let emission) = parsing.format else {
            preconditionFailure("only CSV has a header")
        }
        do throws(MalformedRecord) {
            guard !slice.isTooLong else { throw tooLong }
            let header = try CSVHeader(
                window.bytes(at: slice.index, count: slice.byteCount),
                delimiter: delimiter,
                paths: parsing.fieldPaths
            )
            return CSVConverter(
                header,
                delimiter: delimiter,
                emission: emission,
                parsing: parsing
            )
        } catch {
            throw EndpointError("\(name): the header line: \(error.reason)")
        }
    }

    /// Takes records whose values are written one by one.
    private func takeEach(
        _ converter: any RecordConverter,
        _ batch: RecordBatch,
        _ reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> Bool {
        var hasTaken = false
        while batch.count < batch.recordCapacity, batch.arenaUsed < Self.arenaByteCountMax,
            let slice = splitter.next(in: window, isFinal: isFinal)
        {
            hasTaken = true
            try take(slice, arenaOffset: 0, converter, batch, reject)
        }
        return hasTaken
    }

    /// Takes records whose values are as they came.
    ///
    /// Finds them, copies them together, and then looks at each.
    private func takeBlock(
        _ converter: any RecordConverter,
        _ batch: RecordBatch,
        _ reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> Bool {
        slices.removeAll(keepingCapacity: true)
        var tooLongSlice: RecordSplitter.Slice?
        let room = batch.recordCapacity - batch.count
        if frames != nil { return try takeFrames(room, converter, batch, reject) }
        while slices.count < room, let slice = splitter.next(in: window, isFinal: isFinal) {
            if slice.isTooLong {
                tooLongSlice = slice
                break
            }
            slices.append(slice)
        }
        if let first = slices.first, let last = slices.last {
            let byteCount = last.index + last.byteCount - first.index
            guard batch.reserveArena(byteCount) else {
                preconditionFailure("a window is far smaller than an arena can grow")
            }
            // SAFETY: the block lies in the window, and reserveArena has made room for it.
            let block = window.bytes(at: first.index, count: byteCount)
            let base = batch.arenaUsed
            memcpy(batch.arena + base, block.start, byteCount)
            batch.arenaUsed = base + byteCount
            for slice in slices {
                try take(
                    slice,
                    arenaOffset: base + slice.index - first.index,
                    converter,
                    batch,
                    reject
                )
            }
        }
        if let tooLongSlice { try take(tooLongSlice, arenaOffset: 0, converter, batch, reject) }
        return tooLongSlice != nil || !slices.isEmpty
    }

    /// Takes frames whose values are as they came.
    private func takeFrames(
        _ room: Int,
        _ converter: any RecordConverter,
        _ batch: RecordBatch,
        _ reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> Bool {
        let offset = window.unreadOffset
        try frames?.look(in: window, isFinal: isFinal, atMost: room, name: name)
        while let frame = frames?.take() {
            guard batch.reserveArena(frame.count) else {
                preconditionFailure("a window is far smaller than an arena can grow")
            }
            // SAFETY: the frame lies in the window, and reserveArena has made room for it.
            let bytes = window.bytes(at: frame.lowerBound, count: frame.count)
            let start = batch.arenaUsed
            memcpy(batch.arena + start, bytes.start, frame.count)
            batch.arenaUsed = start + frame.count
            let slice = RecordSplitter.Slice(
                index: frame.lowerBound,
                byteCount: frame.count,
                lineNumber: 1,
                isTooLong: false
            )
            try take(slice, arenaOffset: start, converter, batch, reject)
        }
        return window.unreadOffset > offset
    }

    private func take(
        _ slice: RecordSplitter.Slice,
        arenaOffset: Int,
        _ converter: any RecordConverter,
        _ batch: RecordBatch,
        _ reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) {
        let piece = window.bytes(at: slice.index, count: slice.byteCount)
        do throws(MalformedRecord) {
            guard !slice.isTooLong else { throw tooLong }
            try converter.convert(
                piece,
                readableByteCount: window.readableByteCount(at: slice.index),
                arenaOffset: arenaOffset,
                into: batch
            )
        } catch {
            let offset = window.inputOffset(of: slice.index)
            try reject(
                RejectedRecord(
                    position: "\(name):\(slice.lineNumber) (byte \(offset))",
                    reason: error.reason,
                    bytes: piece.copy(
                        atMost: slice.isTooLong ? Self.keptByteCountMax : .max
                    )
                )
            )
        }
    }

    private var tooLong: MalformedRecord {
        let isCSV = if case .csv = parsing.format { true } else { false }
        return MalformedRecord(
            reason: "longer than \(limits.recordByteCountMax) bytes"
                + (isCSV ? "; perhaps a quote is not closed" : "")
        )
    }
}
