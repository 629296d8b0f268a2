import CApusJSON

/// A JSON parser that checks whole documents and finds the same fields in each.
///
/// One thread.  A document needs ``paddingByteCount`` readable bytes behind it, or it is copied
/// first: windows have them, and so have arenas of batches, except for the last bytes of their
/// allocation.
final class JSONDocument: FieldAccess {
    /// How many readable bytes behind a document spare it being copied.
    static let paddingByteCount = Int(APUS_JSON_PADDING)

    private let parser: OpaquePointer
    private let paths: UnsafeMutablePointer<apus_json_path>
    private let results: UnsafeMutablePointer<apus_json_field>
    let pathCount: Int

    /// Creates a parser for the fields that some paths lead to.
    init(paths keys: [[String]]) {
        precondition(InputWindow.paddingByteCount >= Self.paddingByteCount, "windows are padded")
        guard let parser = apus_json_create() else { preconditionFailure("no memory") }
        self.parser = parser
        pathCount = keys.count
        // SAFETY: all of this is freed in deinit, and the C side keeps none of it.
        results = .allocate(capacity: max(1, pathCount))
        results.initialize(repeating: apus_json_field(), count: max(1, pathCount))
        paths = .allocate(capacity: max(1, pathCount))
        paths.initialize(repeating: apus_json_path(), count: max(1, pathCount))
        for (index, path) in keys.enumerated() {
            let texts = UnsafeMutablePointer<apus_json_text>.allocate(capacity: path.count)
            for (level, key) in path.enumerated() {
                let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, key.utf8.count))
                for (offset, byte) in key.utf8.enumerated() { bytes[offset] = byte }
                (texts + level).initialize(
                    to: apus_json_text(bytes: bytes, length: key.utf8.count)
                )
            }
            paths[index] = apus_json_path(keys: texts, count: path.count)
        }
    }

    deinit {
        for index in 0..<pathCount {
            for level in 0..<paths[index].count { paths[index].keys[level].bytes.deallocate() }
            paths[index].keys.deallocate()
        }
        paths.deallocate()
        results.deallocate()
        apus_json_destroy(parser)
    }

    /// Parses a document; then its fields can be asked for.
    ///
    /// - Parameters:
    ///   - document: The document; must stay where it is while fields are used.
    ///   - readableByteCount: How many bytes from its start on may be read.
    /// - Throws: ``MalformedRecord`` when it is not a JSON object from start to end.
    func parse(
        _ document: ByteRange,
        readableByteCount: Int
    ) throws(MalformedRecord) {
        let problem = apus_json_fields(
            parser,
            document.start,
            document.count,
            readableByteCount,
            paths,
            pathCount,
            results
        )
        if let problem { throw MalformedRecord(reason: String(cString: problem)) }
    }

    /// A field of the document that was parsed last; holds until the next one is parsed.
    func field(_ index: Int) -> FieldValue {
        let result = results[index]
        switch result.kind {
        case APUS_JSON_NULL: return .null
        case APUS_JSON_STRING, APUS_JSON_INTEGER, APUS_JSON_NUMBER, APUS_JSON_BOOL:
            // SAFETY: these kinds have bytes, in the parser or in the document.
            return result.bytes.map { .text(ByteRange($0, count: result.length)) } ?? .missing
        case APUS_JSON_OBJECT, APUS_JSON_ARRAY: return .nested
        default: return .missing
        }
    }

    /// Whether bytes are valid UTF-8.
    static func isUTF8(_ bytes: ByteRange) -> Bool {
        apus_json_is_utf8(bytes.start, bytes.count)
    }
}
