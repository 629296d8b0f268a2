import Testing

/// What other modules see has a `///` comment.
@Suite("Tidy: documentation")
struct DocumentationTests {
    @Test("public and package declarations are documented")
    func publicAndPackageDeclarationsAreDocumented() {
        expectNone(Repository.swift.flatMap(DocumentationRule.check))
    }

    static func problems(_ text: String) -> [String] {
        DocumentationRule.check(SourceFile(path: "Sources/A/A.swift", text: text)).map(\.problem)
    }

    @Test(
        "finds what is not documented",
        arguments: [
            ("public func a() {}", "func a"),
            ("// A plain comment.\npackage struct A {}", "struct A"),
            ("/// Far away.\n\npackage enum A {}", "enum A"),
            ("    package private(set) var a = 1", "var a"),
            ("    public static let a = 1", "let a"),
            ("    @inlinable package init(a: Int) {}", "init"),
            ("    @inlinable\n    package mutating func a() {}", "func a"),
            ("open class A {}", "class A"),
            ("    package final class func a() {}", "func a"),
            ("package typealias A = B", "typealias A"),
            ("package protocol A {}", "protocol A"),
            ("/// A.\npackage let a = 1\npackage let b = 2", "let b"),
        ]
    )
    func findsWhatIsNotDocumented(text: String, declaration: String) {
        #expect(Self.problems(text) == [declaration + " has no documentation"])
    }

    @Test(
        "accepts documentation, inherited documentation, and what others cannot see",
        arguments: [
            "/// A.\npublic func a() {}",
            "/// A.\n@inlinable\n@available(\n    *, deprecated\n)\npackage func a() {}",
            "// doc: inherited\npackage func a() {}",
            "package var a: Int { 1 }  // doc: inherited",
            "public override func a() {}",
            "package(set) var a = 1",
            "func a() {}",
            "package import ApusCore",
            "let a = \"\"\"\npublic func\n\"\"\"",
        ]
    )
    func acceptsTheRest(text: String) {
        #expect(Self.problems(text).isEmpty)
    }
}
