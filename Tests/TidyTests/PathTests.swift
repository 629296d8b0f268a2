import Testing

/// The project can be cloned anywhere, and holds only files of known kinds.
@Suite("Tidy: paths")
struct PathTests {
    @Test("nothing names a path of one machine")
    func nothingNamesAPathOfOneMachine() {
        for path in Repository.paths where PathRule.reads(path) {
            guard let text = Repository.text(path) else { continue }
            expectNone(PathRule.checkText(path: path, text: text))
        }
    }

    @Test("every file is of a known kind")
    func everyFileIsOfAKnownKind() {
        expectNone(Repository.paths.flatMap(PathRule.checkName))
    }

    @Test("the repository was found")
    func theRepositoryWasFound() {
        #expect(Repository.paths.contains("Tests/TidyTests/PathTests.swift"))
        #expect(Repository.swift.contains { $0.path == "Tests/TidyTests/PathTests.swift" })
    }

    @Test(
        "finds absolute paths",
        arguments: ["open(\"/DIR/a\")", "path: /DIR/a", "/DIR/a", "url=file:///DIR/a", "`/DIR/`"]
    )
    func findsAbsolutePaths(example: String) {
        for folder in ["work", "home", "tmp"] {
            let line = example.replacing("DIR", with: folder)
            let found = PathRule.checkText(path: "docs/a.md", text: "a\n" + line)
            #expect(found.map(\.line) == [2])
        }
    }

    @Test(
        "leaves relative paths and addresses alone",
        arguments: ["a/DIR/b", "./DIR/a", "$A/DIR/b", "${A}/DIR/", "https://DIR/", "/usr/bin/env"]
    )
    func leavesRelativePathsAndAddressesAlone(example: String) {
        let line = example.replacing("DIR", with: "home")
        #expect(PathRule.checkText(path: "docs/a.md", text: line).isEmpty)
    }

    @Test("reads what a person wrote, and no data")
    func readsWhatAPersonWroteAndNoData() {
        #expect(PathRule.reads("docs/glossary.md"))
        #expect(PathRule.reads("samples/flights/job.yaml"))
        #expect(!PathRule.reads("samples/flights/data/flights.csv"))
        #expect(!PathRule.reads("Tests/TidyTests/PathTests.swift"))
    }

    @Test("knows files by ending or by name")
    func knowsFilesByEndingOrByName() {
        let known = ["Package.swift", "Makefile", ".gitignore", "dev/setup", ".ci/run", "a/b.md"]
        #expect(known.flatMap(PathRule.checkName).isEmpty)
        let unknown = ["core", "Sources/A/a.o", "Sources/A/setup", "dev/a.exe", "a.swift~"]
        #expect(unknown.flatMap(PathRule.checkName).map(\.path) == unknown)
    }
}
