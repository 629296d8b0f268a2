import ApusMemory

/// Takes pieces as they are: no key, no time.
final class PlainConverter: RecordConverter {
    var keepsPieces: Bool { true }

    func convert(
        _ piece: ByteRange,
        readableByteCount: Int,
        arenaOffset: Int,
        into batch: RecordBatch
    ) throws(MalformedRecord) {
        batch.appendShown(arenaOffset: arenaOffset, count: piece.count)
    }
}
