/// The operator state of an operator in a checkpoint: what it declared, and where the items are.
package struct OperatorStateReference: Codable, Equatable, Sendable {
    /// A list, which each subtask has.
    package struct List: Codable, Equatable, Sendable {
        /// The name, unique among the states of the operator.
        package var name: String
        /// Who gets the items at a restore: "split" or "union".
        package var redistribution: String
        /// What the bytes mean, as a number.
        package var schemaVersion: Int
        /// What the bytes mean, for people; may be empty.
        package var schema: String
        /// How many items there are in all subtasks.
        package var itemCount: Int

        /// Creates a description; see the properties.
        package init(
            name: String,
            redistribution: String,
            schemaVersion: Int,
            schema: String,
            itemCount: Int
        ) {
            self.name = name
            self.redistribution = redistribution
            self.schemaVersion = schemaVersion
            self.schema = schema
            self.itemCount = itemCount
        }
    }

    /// The lists, in the order of their declaration.
    package var lists: [List]
    /// The file in `files/` that has the items of all subtasks.
    package var contentName: String

    /// Creates a reference.
    ///
    /// - Parameters:
    ///   - lists: The lists.
    ///   - contentName: The file in `files/`.
    package init(lists: [List], contentName: String) {
        self.lists = lists
        self.contentName = contentName
    }
}
