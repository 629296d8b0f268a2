/// The way from the top of a document to a value, such as `spec.operators[aircraft].key`.
struct DocumentPath {
    /// The path as messages show it; empty at the top.
    let text: String

    /// The path of the whole document.
    init() {
        text = ""
    }

    private init(_ text: String) {
        self.text = text
    }

    /// The path of a value of the mapping here.
    func key(_ key: String) -> DocumentPath {
        DocumentPath(text.isEmpty ? key : "\(text).\(key)")
    }

    /// The path of an element of the list here: by its id if it has one, else by its position,
    /// counted from 0.
    func element(_ index: Int, _ node: DocumentNode) -> DocumentPath {
        DocumentPath("\(text)[\(node.id ?? String(index))]")
    }
}
