import ApusCore

/// The private copies of plugins: `<folder>/<sha256>/plugin.so`, for their owner only.
///
/// What is checked, scanned and loaded is the copy.  One that is there already is used only when
/// it has the right content.
struct ImageStore: Sendable {
    let disk: any Disk
    /// The folder of all copies.
    let folder: String

    static let imageName = "plugin.so"
    /// Read and executed, and written by nobody: it is mapped as code.
    private static let imageMode: UInt32 = 0o500
    private static let verdictMode: UInt32 = 0o600
    private static let verdictByteCountMax = 4 << 20

    /// Where a copy is.
    func image(_ sha256: String) -> String { "\(folder)/\(sha256)/\(Self.imageName)" }

    /// Makes sure that there is a copy with this content.
    ///
    /// - Returns: Its path.
    /// - Throws: ``DiskError``; a copy that is a link, belongs to somebody else or can be written
    ///   to by others is one.
    func put(_ bytes: [UInt8], sha256: String) throws(DiskError) -> String {
        try disk.makeDirectory(folder)
        try disk.makeDirectory("\(folder)/\(sha256)")
        let path = image(sha256)
        if try isThere(path, sha256, byteCount: bytes.count) { return path }
        try disk.writeAtomically(bytes, to: path, mode: Self.imageMode)
        return path
    }

    /// Whether the copy is there as it should be; one with other content is to be replaced.
    private func isThere(
        _ path: String,
        _ sha256: String,
        byteCount: Int
    ) throws(DiskError) -> Bool {
        do {
            let content = try disk.readPrivateFile(path, maximumByteCount: byteCount)
            return FileDigest.sha256(content) == sha256
        } catch {
            if error.isMissing || error.isTooLarge { return false }
            throw error
        }
    }

    /// What was noted beside a copy; nil when there is nothing, or nothing that can be trusted.
    func verdict(_ sha256: String, _ name: String) -> [UInt8]? {
        try? disk.readPrivateFile(  // Then the plugin is scanned again.
            "\(folder)/\(sha256)/\(name)",
            maximumByteCount: Self.verdictByteCountMax
        )
    }

    /// Notes something beside a copy.
    func note(_ bytes: [UInt8], _ sha256: String, _ name: String) throws(DiskError) {
        try disk.writeAtomically(bytes, to: "\(folder)/\(sha256)/\(name)", mode: Self.verdictMode)
    }
}
