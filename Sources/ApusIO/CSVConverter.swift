import ApusMemory
import Glibc

/// Converts the rows of CSV that follow the header.
final class CSVConverter: RecordConverter {
    private let emission: RecordFormat.Emission
    private let header: CSVHeader
    private let fields: RecordFields
    private let nullValues: [[UInt8]]

    /// What is before the value of each column: `{"a":` and `,"b":`, one after the other.
    private let labels: [UInt8]
    /// The end of each label in `labels`.
    private let labelEnds: [Int]

    private var row: CSVRow

    /// Where fields with doubled quotes are put right.
    private var scratch: UnsafeMutablePointer<UInt8>
    private var scratchCapacity = 256

    /// The fields of the row that is being converted.
    private struct Fields: FieldAccess {
        let converter: CSVConverter
        let piece: ByteRange

        func field(_ index: Int) -> FieldValue {
            .text(converter.text(converter.header.columns[index], of: piece))
        }
    }

    init(
        _ header: CSVHeader,
        delimiter: UInt8,
        emission: RecordFormat.Emission,
        parsing: RecordParsing
    ) {
        self.header = header
        self.emission = emission
        fields = RecordFields(parsing)
        nullValues = parsing.nullValues.map { Array($0.utf8) }
        row = CSVRow(delimiter: delimiter)
        var labels: [UInt8] = []
        var ends: [Int] = []
        for (index, name) in header.names.enumerated() {
            labels.append(index == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
            JSONText.append(name, to: &labels)
            labels.append(UInt8(ascii: ":"))
            ends.append(labels.count)
        }
        self.labels = labels
        labelEnds = ends
        scratch = .allocate(capacity: scratchCapacity)
    }

    deinit {
        scratch.deallocate()
    }

    var keepsPieces: Bool { emission == .line }

    func convert(
        _ piece: ByteRange,
        readableByteCount: Int,
        arenaOffset: Int,
        into batch: RecordBatch
    ) throws(MalformedRecord) {
        try row.read(piece)
        guard row.fields.count == header.names.count else {
            throw MalformedRecord(
                reason: "\(row.fields.count) fields, but \(header.names.count) in the header"
            )
        }
        let values = Fields(converter: self, piece: piece)
        switch emission {
        case .line:
            try fields.append(values, to: batch, arenaOffset: arenaOffset, byteCount: piece.count)
        case .json:
            guard JSONDocument.isUTF8(piece) else { throw MalformedRecord(reason: "not UTF-8") }
            let offset = batch.arenaUsed
            let byteCount = try writeObject(piece, into: batch)
            do throws(MalformedRecord) {
                try fields.append(values, to: batch, arenaOffset: offset, byteCount: byteCount)
            } catch {
                batch.arenaUsed = offset
                throw error
            }
        }
    }

    /// Writes the row as a JSON object behind what is in the arena; returns its size.
    private func writeObject(
        _ piece: ByteRange,
        into batch: RecordBatch
    ) throws(MalformedRecord) -> Int {
        // Per field two quotes or `null`, which may stand for nothing at all; one brace.
        let byteCountMax =
            labels.count + 4 * row.fields.count + piece.count + 1
            + JSONText.escapeByteCountMax(piece)
        guard batch.reserveArena(byteCountMax) else {
            throw MalformedRecord(reason: "no room for the row in a batch")
        }
        // SAFETY: byteCountMax bytes are free behind arenaUsed, and what follows writes no more.
        let start = batch.arena + batch.arenaUsed
        var target = start
        labels.withUnsafeBufferPointer { labels in
            var labelStart = 0
            for (index, end) in labelEnds.enumerated() {
                if let base = labels.baseAddress {
                    memcpy(target, base + labelStart, end - labelStart)
                    target += end - labelStart
                }
                labelStart = end
                let value = text(index, of: piece)
                if !nullValues.isEmpty, value.isOne(of: nullValues) {
                    memcpy(target, "null", 4)
                    target += 4
                } else {
                    target[0] = UInt8(ascii: "\"")
                    target = JSONText.write(value, to: target + 1)
                    target[0] = UInt8(ascii: "\"")
                    target += 1
                }
            }
        }
        target[0] = UInt8(ascii: "}")
        let byteCount = target + 1 - start
        batch.arenaUsed += byteCount
        return byteCount
    }

    /// The text of a field; holds until the next one is asked for.
    private func text(_ column: Int, of piece: ByteRange) -> ByteRange {
        let field = row.fields[column]
        let raw = ByteRange(piece.start + field.offset, count: field.byteCount)
        return field.hasDoubledQuotes ? undoubled(raw) : raw
    }

    private func undoubled(_ raw: ByteRange) -> ByteRange {
        if scratchCapacity < raw.count {
            scratch.deallocate()
            scratchCapacity = raw.count * 2
            scratch = .allocate(capacity: scratchCapacity)
        }
        var count = 0
        var index = 0
        while index < raw.count {
            // SAFETY: no more bytes than the raw ones, which there is room for.
            scratch[count] = raw[index]
            count += 1
            index += raw[index] == UInt8(ascii: "\"") ? 2 : 1
        }
        return ByteRange(scratch, count: count)
    }
}
