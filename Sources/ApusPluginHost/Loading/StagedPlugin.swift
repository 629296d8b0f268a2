/// A plugin's file that was checked and copied, and of which nothing has run yet.
package struct StagedPlugin: Sendable {
    /// The private copy.
    package let image: String
    /// What the file tells.
    package let report: FileReport

    /// The file, as the user named it.
    package var file: String { report.file }
    /// SHA-256 of its content, in hexadecimal.
    package var sha256: String { report.sha256 }
}
