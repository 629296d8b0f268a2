import Testing

/// A promise that the compiler cannot check says "because".
@Suite("Tidy: unchecked promises")
struct SendableTests {
    @Test("unchecked promises give their reason")
    func uncheckedPromisesGiveTheirReason() {
        expectNone(Repository.swift.flatMap(SendableRule.check))
    }

    @Test(
        "finds promises without a reason",
        arguments: [
            "final class A: @unchecked Sendable {}",
            "// It is fine.\nnonisolated(unsafe) static var a = 1",
            "// because it is far away\n\nnonisolated(unsafe) var a = 1",
            "nonisolated(unsafe) var a = \"because\"",
        ]
    )
    func findsPromisesWithoutAReason(text: String) {
        let file = SourceFile(path: "Sources/A/A.swift", text: text)
        #expect(SendableRule.check(file).map(\.line) == [file.text.count])
    }

    @Test(
        "accepts a reason on the line, above it or below it",
        arguments: [
            "nonisolated(unsafe) var a = 1  // because one thread writes it",
            "// because one thread writes it\nnonisolated(unsafe) var a = 1",
            "final class A: @unchecked Sendable {\n    // because it is immutable\n}",
        ]
    )
    func acceptsAReason(text: String) {
        #expect(SendableRule.check(SourceFile(path: "Sources/A/A.swift", text: text)).isEmpty)
    }
}
