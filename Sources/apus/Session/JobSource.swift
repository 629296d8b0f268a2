import ApusGraph
import ApusSwap

/// A job file as it was read, and how.
///
/// What runs is this content, whatever the file says meanwhile.
struct JobSource: Sendable {
    /// Where the file is, and what was given with it on the command line.
    var preparation: JobPreparation
    /// Its content.
    var bytes: [UInt8]
    /// SHA-256 of that.
    var sha256: String
    /// What it says.
    var job: JobDescription

    /// The file, as the journal names it.
    var file: SwapIntent.JobFile {
        SwapIntent.JobFile(
            sha256: sha256,
            path: SwapCommand.absolute(preparation.options.file)
        )
    }
}
