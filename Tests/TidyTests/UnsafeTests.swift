import Testing

/// Unsafe pointers stay where they are allowed, and are explained there.
@Suite("Tidy: unsafe pointers")
struct UnsafeTests {
    @Test("unsafe pointers stay in their modules and are explained")
    func unsafePointersStayInTheirModulesAndAreExplained() {
        expectNone(Repository.swift.flatMap { UnsafeRule.check($0) })
    }

    @Test("every listed file exists")
    func everyListedFileExists() {
        let missing = Tables.unsafeFiles.union(Tables.generatedFiles).subtracting(Repository.paths)
        #expect(missing.isEmpty, "remove \(missing.sorted()) from Tables")
    }

    @Test(
        "finds unsafe pointers outside their modules",
        arguments: [
            "let a: UnsafeRawPointer? = nil", "a.withUnsafeBytes { _ in }",
            "Unmanaged.passRetained(a)",
        ]
    )
    func findsUnsafePointersOutsideTheirModules(line: String) {
        let text = "// UnsafePointer\n" + line + "  // SAFETY: because"
        for path in ["Sources/ApusRuntime/A.swift", "Plugins/Windows/A.swift"] {
            let found = UnsafeRule.check(SourceFile(path: path, text: text))
            #expect(found.map(\.line) == [2])
        }
    }

    @Test("a listed file may use them, with a reason")
    func aListedFileMayUseThemWithAReason() {
        let path = "Sources/ApusRuntime/A.swift"
        let bare = SourceFile(path: path, text: "let a: UnsafeRawPointer")
        let explained = SourceFile(path: path, text: "// SAFETY: …\nlet a: UnsafeRawPointer")
        #expect(UnsafeRule.check(bare, allowing: [path]).count == 1)
        #expect(UnsafeRule.check(explained, allowing: [path]).isEmpty)
    }

    @Test("in their modules they need a reason")
    func inTheirModulesTheyNeedAReason() {
        let bare = SourceFile(path: "Sources/ApusMemory/A.swift", text: "var a: UnsafePointer<B>")
        #expect(UnsafeRule.check(bare).map(\.line) == [1])
        let safe = SourceFile(path: "Sources/ApusMemory/A.swift", text: "let a = unsafe b")
        #expect(UnsafeRule.check(safe).isEmpty)
    }
}
