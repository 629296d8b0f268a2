import ApusCore
import Foundation

/// A project for a new operator, made from a template of the SDK.
///
/// Templates are ordinary files in `sdk/templates`, found at run time with the rest of the SDK,
/// without which a project could not be built anyway.  In their names and texts, words stand for
/// what is different in each project: `apus-name`, `apus_name`, `ApusName`, `APUS_SDK_HERE`.
struct OperatorProject {
    /// The languages that there is an SDK for.
    enum Language: String, CaseIterable {
        case c, cpp, rust, swift
    }

    /// Why no project can be made.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    let name: String
    let language: Language
    /// The folder of the SDK, absolute.
    let sdk: String
    /// Where the project is to be.
    let folder: String

    /// Checks the name.
    ///
    /// - Throws: ``Problem``.
    init(name: String, language: Language, sdk: String, folder: String) throws(Problem) {
        guard name.wholeMatch(of: /[a-z][a-z0-9]*(-[a-z0-9]+)*/) != nil, name.count <= 63 else {
            throw Problem(
                description: "the name '\(name)'; expected 1 to 63 characters a-z, 0-9 and single "
                    + "'-' between them, beginning with a letter, such as 'count-visits'"
            )
        }
        guard !Self.reserved.contains(name) else {
            throw Problem(
                description: "the name '\(name)' is that of a library in one of the languages; "
                    + "give the operator another one"
            )
        }
        self.name = name
        self.language = language
        self.sdk = sdk
        self.folder = folder
    }

    /// Names of crates that come with Rust or are the SDK's own.
    private static let reserved: Set<String> = [
        "alloc", "apus", "core", "proc-macro", "std", "test",
    ]

    /// `count-visits` as `CountVisits`.
    private var typeName: String {
        name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    private func filled(_ text: String) -> String {
        text.replacing("apus-name", with: name)
            .replacing("apus_name", with: name.replacing("-", with: "_"))
            .replacing("ApusName", with: typeName)
            .replacing("APUS_SDK_HERE", with: sdk)
    }

    /// Writes the project.
    ///
    /// - Returns: The files, by their paths in the project.
    /// - Throws: ``Problem`` when there is something in the folder already, or a file cannot be
    ///   read or written; what was written until then is left behind.
    func write() throws(Problem) -> [String] {
        let template = "\(sdk)/templates/\(language.rawValue)"
        do {
            let files = FileManager.default
            if let found = try? files.contentsOfDirectory(atPath: folder),  // none: it is not there
                !found.isEmpty
            {
                throw Problem(
                    description: "\(folder) has \(found.count) files already; nothing was written. "
                        + "Give an empty or a new folder with --directory"
                )
            }
            guard !files.fileExists(atPath: folder) || isFolder(folder) else {
                throw Problem(description: "\(folder) is a file; expected a new folder")
            }
            let paths = try files.subpathsOfDirectory(atPath: template)
                .filter { !isFolder("\(template)/\($0)") }.sorted()
            return try paths.map { path in
                let text = try String(contentsOfFile: "\(template)/\(path)", encoding: .utf8)
                let place = "\(folder)/\(filled(path))"
                try files.createDirectory(
                    atPath: (place as NSString).deletingLastPathComponent,
                    withIntermediateDirectories: true
                )
                try Data(filled(text).utf8).write(
                    to: URL(filePath: place),
                    options: .withoutOverwriting
                )
                return filled(path)
            }
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(description: "\(template) to \(folder): \(error.localizedDescription)")
        }
    }

    private func isFolder(_ path: String) -> Bool {
        (try? FileManager.default.contentsOfDirectory(atPath: path)) != nil  // a file has none
    }
}
