import Testing

/// One change to the sample job file, and the whole text of the errors that it leads to.
struct Mistake: Sendable, CustomTestStringConvertible {
    let name: String
    let old: String
    let new: String
    let text: String

    init(_ name: String, _ old: String, _ new: String, _ text: String) {
        self.name = name
        self.old = old
        self.new = new
        self.text = text
    }

    var testDescription: String { name }
}
