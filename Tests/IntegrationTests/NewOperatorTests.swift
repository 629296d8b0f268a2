import Foundation
import Testing

/// `apus new operator` writes projects, and nothing over anything.
///
/// That they build, test and run is what `make sdk` checks, with the compilers of all languages.
@Suite("Integration: new operator")
struct NewOperatorTests {
    static let languages = ["c", "cpp", "rust", "swift"]

    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    @Test("a project has the operator's name everywhere, and the SDK's place", arguments: languages)
    func aProjectHasTheName(language: String) throws {
        let arguments = ["new", "operator", "count-visits", "--lang", language, "--json"]
        let run = try workspace.start(arguments).finish()
        run.expect(status: 0)
        let folder = workspace.path("count-visits")
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder)
        #expect(paths.contains("job.yaml") && paths.contains("Makefile"))
        #expect(paths.contains("README.md") && paths.contains("lines.csv"))
        var all = paths.joined(separator: "\n")
        for path in paths {
            let name = "count-visits/\(path)"
            all += workspace.text(name)
            if run.output.contains("\"\(path)\"") { continue }
            // What is not in the report is a folder.
            #expect(workspace.text(name).isEmpty, "\(path) is not in the report: \(run)")
        }
        for word in ["apus-name", "apus_name", "ApusName", "APUS_SDK_HERE"] {
            #expect(!all.contains(word), "\(word) is left over")
        }
        #expect(all.contains("count-visits") && all.contains(Program.file("sdk")))
        // Of the whole job, the plugin alone is missing.
        let job = try workspace.apus("job", "validate", "count-visits/job.yaml")
        job.expect(status: 2, says: "count-visits", "is the path right?")
    }

    @Test("a folder that has files is left as it is")
    func aFolderThatHasFilesIsLeft() throws {
        let arguments = ["new", "operator", "tally", "--lang", "c", "--directory", "there"]
        try workspace.start(arguments).finish().expect(prints: "next: cd there")
        try workspace.write("there/tally.c", "mine")
        try workspace.start(arguments).finish()
            .expect(status: 2, says: "there has 6 files already; nothing was written")
        #expect(workspace.text("there/tally.c") == "mine")
        try workspace.write("file", "")
        let run = try workspace.apus(
            "new",
            "operator",
            "tally",
            "--lang",
            "c",
            "--directory",
            "file"
        )
        run.expect(status: 2, says: "file is a file; expected a new folder")
    }

    @Test(
        "a name that cannot be one in every place is refused",
        arguments: ["Count", "9lives", "a--b", "-", "a_b", "a.b", "../x", "x-", "ä"]
    )
    func aNameThatCannotBeOneIsRefused(name: String) throws {
        let run = try workspace.apus("new", "operator", "--lang", "c", "--", name)
        run.expect(status: 2, says: "the name '\(name)'; expected", "such as 'count-visits'")
        #expect(!workspace.has(name))
    }

    @Test("the name of a library is refused")
    func theNameOfALibraryIsRefused() throws {
        try workspace.apus("new", "operator", "core", "--lang", "rust")
            .expect(status: 2, says: "is that of a library")
    }

    @Test("a language that there is no SDK for is refused with those that there are")
    func anUnknownLanguageIsRefused() throws {
        try workspace.apus("new", "operator", "tally", "--lang", "go")
            .expect(status: 64, says: "c, cpp, rust", "swift")
    }

    @Test("an SDK that is none is refused, wherever it was named")
    func anSDKThatIsNoneIsRefused() throws {
        try workspace.apus("new", "operator", "tally", "--lang", "c", "--sdk", "nowhere")
            .expect(status: 2, says: "--sdk is 'nowhere'", "no c/include/apus/apus.h in it")
        let run = try workspace.apus(
            "new",
            "operator",
            "tally",
            "--lang",
            "c",
            environment: ["APUS_SDK": "nowhere"]
        )
        run.expect(status: 2, says: "APUS_SDK is 'nowhere'")
    }
}
