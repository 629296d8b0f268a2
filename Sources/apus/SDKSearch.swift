import Foundation

/// Finds the folder of the SDK: `sdk` of a clone of Apus.
///
/// What the user says counts; then `APUS_SDK` of the environment; then the clone in which this
/// program was built, if that is where it still is.
struct SDKSearch {
    /// What tells the folder from others.
    private static let mark = "c/include/apus/apus.h"

    let environment: [String: String]
    let programPath: String

    /// Creates a search.
    init(environment: [String: String]) {
        self.environment = environment
        programPath =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))  // none
            ?? CommandLine.arguments[0]
    }

    /// The folder, absolute.
    ///
    /// - Throws: ``OperatorProject/Problem`` that says where it was looked for.
    func find(_ given: String?) throws(OperatorProject.Problem) -> String {
        let named =
            given.map { ("--sdk", $0) } ?? environment["APUS_SDK"].map { ("APUS_SDK", $0) }
        if let (source, path) = named {
            if let found = sdk(at: absolute(path)) { return found }
            throw OperatorProject.Problem(
                description: "\(source) is '\(path)', but there is no \(Self.mark) in it; expected "
                    + "the folder 'sdk' of a clone of Apus"
            )
        }
        var folder = (programPath as NSString).deletingLastPathComponent
        while folder.count > 1 {
            if let found = sdk(at: folder) { return found }
            folder = (folder as NSString).deletingLastPathComponent
        }
        throw OperatorProject.Problem(
            description: "the SDK was not found above \(programPath); say where the folder 'sdk' "
                + "of a clone of Apus is, with --sdk or APUS_SDK"
        )
    }

    /// The SDK if a folder is it, or a clone that holds it.
    private func sdk(at folder: String) -> String? {
        [folder, "\(folder)/sdk"].first {
            FileManager.default.fileExists(atPath: "\($0)/\(Self.mark)")
        }
    }

    private func absolute(_ path: String) -> String {
        URL(filePath: path).standardizedFileURL.path
    }
}
