/// The broadcast state of an operator in a checkpoint: what it declared, and where the maps are.
package struct BroadcastReference: Codable, Equatable, Sendable {
    /// A map.
    package struct Map: Codable, Equatable, Sendable {
        /// The name, unique among the states of the operator.
        package var name: String
        /// What the bytes mean, as a number.
        package var schemaVersion: Int
        /// What the bytes mean, for people; may be empty.
        package var schema: String
        /// How many entries it has.
        package var entryCount: Int

        /// Creates a description.
        ///
        /// - Parameters:
        ///   - name: The name.
        ///   - schemaVersion: What the bytes mean.
        ///   - schema: The same for people.
        ///   - entryCount: How many entries it has.
        package init(name: String, schemaVersion: Int, schema: String, entryCount: Int) {
            self.name = name
            self.schemaVersion = schemaVersion
            self.schema = schema
            self.entryCount = entryCount
        }
    }

    /// The maps, in the order of their declaration.
    package var maps: [Map]
    /// The file in `files/` that has their entries.
    package var contentName: String

    /// Creates a reference.
    ///
    /// - Parameters:
    ///   - maps: The maps.
    ///   - contentName: The file in `files/`.
    package init(maps: [Map], contentName: String) {
        self.maps = maps
        self.contentName = contentName
    }
}
