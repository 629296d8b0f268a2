import ApusMemory

/// Makes records of a batch out of the pieces that a ``RecordSplitter`` finds.
protocol RecordConverter: AnyObject {
    /// Whether the value of a record is the piece as it stands, so that many of them can be copied
    /// into the batch at once; otherwise the converter writes values itself.
    var keepsPieces: Bool { get }

    /// Appends a record to a batch whose columns have room for it.
    ///
    /// - Parameters:
    ///   - piece: The record as it came.
    ///   - readableByteCount: How many bytes from its start on may be read.
    ///   - arenaOffset: Where the batch's arena has a copy of it, if ``keepsPieces``.
    ///   - batch: What it is appended to.
    /// - Throws: ``MalformedRecord``; then it is not appended.
    func convert(
        _ piece: ByteRange,
        readableByteCount: Int,
        arenaOffset: Int,
        into batch: RecordBatch
    ) throws(MalformedRecord)
}
