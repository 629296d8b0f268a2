package import ApusCore
import CApusShims

/// Bytes on their way through XXH3-128: of an array, of a file, of a file that is being copied.
///
/// One thread at a time.
@safe final class HashStream {
    /// What is read at once: fits the second-level cache, so that the hash finds it there.
    private static let pieceByteCount = 256 << 10

    // SAFETY: made by the library, freed with this object and by nobody else.
    private let stream: OpaquePointer
    // SAFETY: allocated and freed with this object; only the functions below hand it out, for the
    // time of a call.
    private let piece: UnsafeMutableRawBufferPointer

    init() {
        guard let stream = unsafe apus_hash128_begin() else {
            preconditionFailure("the system has memory for 600 bytes")
        }
        unsafe self.stream = stream
        unsafe piece = .allocate(byteCount: Self.pieceByteCount, alignment: 64)
    }

    deinit {
        unsafe apus_hash128_end(stream)
        unsafe piece.deallocate()
    }

    /// The hash of an array's bytes.
    static func hash(_ bytes: [UInt8]) -> ContentHash {
        // SAFETY: the library reads so many bytes of the array during the call.
        let hash = unsafe bytes.withUnsafeBytes { all in
            unsafe apus_xxh3_128(all.baseAddress, all.count)
        }
        return ContentHash(high: hash.high, low: hash.low)
    }

    /// The hash and length of a file's bytes, which are written to another file on the way.
    ///
    /// - Throws: ``DiskError``; a part may have been written.
    static func hash(
        _ file: any ReadableFile,
        copyingTo copy: (any WritableFile)? = nil
    ) throws(DiskError) -> (hash: ContentHash, byteCount: Int) {
        let stream = HashStream()
        var byteCount = 0
        while true {
            let count = unsafe try file.read(into: stream.piece)
            if count == 0 { return (stream.value, byteCount) }
            // SAFETY: reading has filled `count` bytes of the piece.
            let filled = unsafe UnsafeRawBufferPointer(rebasing: stream.piece[..<count])
            unsafe apus_hash128_add(stream.stream, filled.baseAddress, count)
            unsafe try copy?.write(filled)
            byteCount += count
        }
    }

    private var value: ContentHash {
        let hash = unsafe apus_hash128_value(stream)
        return ContentHash(high: hash.high, low: hash.low)
    }
}

extension WritableFile {
    /// Writes an array's bytes.
    ///
    /// - Throws: ``DiskError``; a part may have been written.
    package func write(_ bytes: [UInt8]) throws(DiskError) {
        // SAFETY: the span ends with this scope, before the array does.
        try unsafe bytes.span.bytes.withUnsafeBytes { all throws(DiskError) in
            try unsafe write(all)
        }
    }
}
