import ApusCheckpoint
import ApusCore

/// Reads the files that hold broadcast and operator state.
struct OwnFileReader {
    /// The files of the manifest.
    let files: [FileEntry]
    /// The seam to files.
    let disk: any Disk
    /// Where a file is.
    let path: (FileEntry) -> String

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - contentName: Its name in the manifest.
    ///   - what: What it holds, for messages.
    ///   - decode: Gives nil for what is damaged.
    /// - Returns: What it holds; nil when the manifest does not have it.
    /// - Throws: ``StateToolError`` when the file is damaged.
    func read<Content>(
        _ contentName: String,
        _ what: String,
        _ decode: ([UInt8]) -> Content?
    ) throws(StateToolError) -> Content? {
        guard let file = files.first(where: { $0.contentName == contentName }) else {
            return nil  // Impossible: the manifest was checked.
        }
        let place = path(file)
        let bytes = try StateToolError.onDisk(
            try disk.readAll(place, maximumByteCount: file.byteCount)
        )
        guard ContentDigest.digits(of: bytes) == file.hash, let content = decode(bytes) else {
            throw StateToolError(
                .input,
                "\(place): \(what) is damaged, or a newer Apus wrote it; restore an earlier "
                    + "checkpoint"
            )
        }
        return content
    }
}
