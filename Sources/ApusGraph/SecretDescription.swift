/// Where a secret comes from that plugins may ask for by its name.
///
/// The secret itself is in no value of this module, so that a job can be shown.
package struct SecretDescription: Sendable, Hashable {
    /// The two places where a secret can be.
    package enum Origin: Sendable, Hashable {
        /// A variable of the environment.
        case environment(String)
        /// A file; a line feed at its end is not part of the secret.
        case file(String)
    }

    /// The largest secret, in bytes.
    package static let byteCountMax = 64 << 10

    /// The name by which configurations and plugins speak of it.
    package var name: String

    /// Where it comes from.
    package var origin: Origin

    /// Where it stands in the job file.
    package var location: SourceLocation

    /// Creates a description; see the properties.
    package init(name: String, origin: Origin, location: SourceLocation) {
        self.name = name
        self.origin = origin
        self.location = location
    }

    /// A few words for people: where it comes from.
    package var summary: String {
        switch origin {
        case .environment(let variable): "secret \(name) from the variable \(variable)"
        case .file(let path): "secret \(name) from the file \(path)"
        }
    }
}
