import ApusCore
import CApusZlib

/// A gzip file read as what it holds: one member after the other.
///
/// One thread at a time.
final class GzipFile: ReadableFile {
    private static let inputByteCountMax = 64 << 10

    private let file: any ReadableFile
    private let path: String
    private let stream: OpaquePointer
    private let input: UnsafeMutableRawBufferPointer
    private var inputRange = 0..<0
    private var isInsideMember = false
    private var hasMember = false

    /// Decompresses an open file.
    ///
    /// - Parameters:
    ///   - file: The compressed file; nothing read.
    ///   - path: For messages.
    init(_ file: any ReadableFile, path: String) {
        guard let stream = apus_gunzip_create() else { preconditionFailure("no memory") }
        self.file = file
        self.path = path
        self.stream = stream
        // SAFETY: freed in deinit.
        input = .allocate(byteCount: Self.inputByteCountMax, alignment: 64)
    }

    deinit {
        input.deallocate()
        apus_gunzip_destroy(stream)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int {
        while true {
            if inputRange.isEmpty { inputRange = try 0..<file.read(into: input) }
            let isAtEnd = inputRange.isEmpty
            if isAtEnd, !isInsideMember {
                guard hasMember else { throw error("it is empty, and so not a gzip file") }
                return 0
            }
            let count = try step(into: buffer)
            if count > 0 { return count }
            // Without input there may still have been output to fetch; now there is none.
            if isAtEnd, isInsideMember { throw error("the compressed data ends too early") }
        }
    }

    private func step(into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int {
        var inputByteCount = inputRange.count
        var outputByteCount = buffer.count
        guard let from = input.baseAddress, let to = buffer.baseAddress else { return 0 }
        isInsideMember = true
        hasMember = true
        // SAFETY: both counts are those of the buffers, of which no more is used.
        let status = apus_gunzip_step(
            stream,
            (from + inputRange.lowerBound).assumingMemoryBound(to: UInt8.self),
            &inputByteCount,
            to.assumingMemoryBound(to: UInt8.self),
            &outputByteCount
        )
        inputRange = inputRange.lowerBound + inputByteCount..<inputRange.upperBound
        switch status {
        case APUS_GUNZIP_MORE: return outputByteCount
        case APUS_GUNZIP_END:
            isInsideMember = false
            return outputByteCount
        default:
            throw error(
                "it is not gzip, or damaged: \(String(cString: apus_gunzip_message(stream)))"
            )
        }
    }

    func isReady(waitingMilliseconds: Int32) -> Bool {
        !inputRange.isEmpty || file.isReady(waitingMilliseconds: waitingMilliseconds)
    }

    func isStillThere() -> Bool { file.isStillThere() }

    private func error(_ reason: String) -> DiskError {
        DiskError(operation: "decompress", path: path, reason: reason)
    }
}
