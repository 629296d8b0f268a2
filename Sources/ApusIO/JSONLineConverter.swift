import ApusMemory

/// Converts JSON lines: each must be one object, and stays as it is.
final class JSONLineConverter: RecordConverter {
    private let document: JSONDocument
    private let fields: RecordFields

    init(_ parsing: RecordParsing) {
        document = JSONDocument(paths: parsing.fieldPaths)
        fields = RecordFields(parsing)
    }

    var keepsPieces: Bool { true }

    func convert(
        _ piece: ByteRange,
        readableByteCount: Int,
        arenaOffset: Int,
        into batch: RecordBatch
    ) throws(MalformedRecord) {
        try document.parse(piece, readableByteCount: readableByteCount)
        try fields.append(
            document,
            to: batch,
            arenaOffset: arenaOffset,
            byteCount: piece.count
        )
    }
}
