import Testing

/// Whoever looks for a type finds it by its file's name.
@Suite("Tidy: file names")
struct NameTests {
    @Test("files are named after their type")
    func filesAreNamedAfterTheirType() {
        expectNone(Repository.swift.flatMap(NameRule.check))
    }

    static func findings(_ name: String, _ text: String) -> Int {
        NameRule.check(SourceFile(path: "Sources/A/" + name, text: text)).count
    }

    @Test(
        "accepts the name of a type that is declared or extended",
        arguments: [
            ("Foo.swift", "package struct Foo {}"),
            ("Foo.swift", "extension Foo {}"),
            ("Foo+Bar.swift", "extension Foo: Bar {}"),
            ("Foo.Bar.swift", "extension Foo {\n    enum Bar {}\n}"),
            ("Foo.Bar+Baz.swift", "extension Foo.Bar {}"),
            ("main.swift", "run()"),
        ]
    )
    func acceptsTheNameOfAType(name: String, text: String) {
        #expect(Self.findings(name, text) == 0)
    }

    @Test(
        "refuses any other name",
        arguments: [
            ("Helpers.swift", "struct Foo {}"),
            ("Foo+Bar.swift", "struct Foo {}"),
            ("Foo.swift", "// struct Foo\nstruct FooBar {}"),
            ("foo.swift", "struct Foo {}"),
        ]
    )
    func refusesAnyOtherName(name: String, text: String) {
        #expect(Self.findings(name, text) == 1)
    }
}
