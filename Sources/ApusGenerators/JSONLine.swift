/// One compact JSON object, built field by field in the order in which it is read.
///
/// Names and texts are written as they are: they come from this module, and hold nothing that JSON
/// would have to escape.
struct JSONLine {
    private var bytes: [UInt8] = []

    /// Starts an object without fields.
    init() {
        bytes.reserveCapacity(160)
    }

    /// Adds a text.
    mutating func add(_ name: String, _ text: String) {
        addName(name)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: text.utf8)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Adds a number.
    mutating func add(_ name: String, _ number: Int) {
        addName(name)
        bytes.append(contentsOf: String(number).utf8)
    }

    /// Adds an instant.
    mutating func add(_ name: String, _ time: Timestamp) {
        addName(name)
        bytes.append(UInt8(ascii: "\""))
        time.append(to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// The whole object, without a line end.
    ///
    /// - Precondition: It has a field.
    var text: String {
        precondition(!bytes.isEmpty, "the object has no field")
        return String(decoding: bytes + [UInt8(ascii: "}")], as: UTF8.self)
    }

    private mutating func addName(_ name: String) {
        bytes.append(UInt8(ascii: bytes.isEmpty ? "{" : ","))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: name.utf8)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }
}
