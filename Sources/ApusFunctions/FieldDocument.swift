import ApusGraph
import CApusJSON

/// A JSON parser that finds the fields of arguments, and the place of a result.
///
/// One thread.
final class FieldDocument {
    private let parser: OpaquePointer
    private let paths: UnsafeMutablePointer<apus_json_path>
    private let found: UnsafeMutablePointer<apus_json_field>
    private let fieldCount: Int
    private let resultPath: [String]?
    private let texts = ConstantTexts()
    private var keys: [UnsafeMutablePointer<apus_json_text>] = []

    /// Creates a parser.
    ///
    /// - Parameters:
    ///   - fields: The ways to the arguments.
    ///   - result: The way to the result; nil when it goes into no field.
    init(fields: [[String]], result: [String]?) {
        guard let parser = apus_json_create() else { preconditionFailure("no memory") }
        self.parser = parser
        fieldCount = fields.count
        resultPath = result
        // SAFETY: all of this is freed in deinit, and the C side keeps none of it.  The result's
        // path is the last one.
        paths = .allocate(capacity: fieldCount + 1)
        found = .allocate(capacity: max(1, fieldCount))
        found.initialize(repeating: apus_json_field(), count: max(1, fieldCount))
        for (index, path) in (fields + [result ?? []]).enumerated() {
            let names = UnsafeMutablePointer<apus_json_text>.allocate(capacity: max(1, path.count))
            for (level, name) in path.enumerated() {
                (names + level).initialize(
                    to: apus_json_text(bytes: texts.add(name), length: name.utf8.count)
                )
            }
            keys.append(names)
            (paths + index).initialize(to: apus_json_path(keys: names, count: path.count))
        }
    }

    deinit {
        for names in keys { names.deallocate() }
        paths.deallocate()
        found.deallocate()
        apus_json_destroy(parser)
    }

    /// Parses a document.
    ///
    /// - Returns: Why it is no JSON object; nil when it is.
    func parse(_ bytes: UnsafeRawBufferPointer, readable: Int) -> String? {
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        guard let start else { return "the value is empty; expected a JSON object" }
        // SAFETY: the caller says how much may be read.
        let problem = apus_json_fields(
            parser,
            start,
            bytes.count,
            readable,
            paths,
            fieldCount,
            found
        )
        return problem.map { String(cString: $0) }
    }

    /// A field of the document that was parsed last.
    subscript(_ field: Int) -> apus_json_field { found[field] }

    /// Finds where the result goes in the document that was parsed last.
    ///
    /// - Returns: Why it can go nowhere; nil when it can.
    func findResult(
        _ bytes: UnsafeRawBufferPointer,
        _ place: UnsafeMutablePointer<apus_json_place>
    ) -> String? {
        guard let resultPath else { return nil }
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        // SAFETY: the document is the one that was parsed, still where it was.
        apus_json_find(parser, start, paths + fieldCount, place)
        guard place.pointee.kind == APUS_JSON_BLOCKED else { return nil }
        let parent = resultPath.prefix(Int(place.pointee.depth)).joined(separator: ".")
        return "field '$.\(parent)' is no object, so that the result cannot go to "
            + "'$.\(resultPath.joined(separator: "."))'"
    }
}
