import Testing

/// Files, functions and lines stay within the limits of docs/style.md.
@Suite("Tidy: sizes")
struct SizeTests {
    @Test("files are short")
    func filesAreShort() {
        expectNone(Repository.code.flatMap(SizeRule.checkFile))
    }

    @Test("lines are narrow")
    func linesAreNarrow() {
        expectNone(Repository.code.flatMap(SizeRule.checkLines))
    }

    @Test("functions are short")
    func functionsAreShort() {
        expectNone(Repository.swift.flatMap { SizeRule.checkFunctions($0) })
    }

    @Test("the ratchet is as tight as the code")
    func theRatchetIsAsTightAsTheCode() {
        expectNone(SizeRule.checkRatchet(Tables.longFunctions, against: Repository.swift))
    }

    @Test(
        "a file has one line too many",
        arguments: [
            ("Sources/A/A.swift", 600), ("Tests/ATests/A.swift", 1_000), ("sdk/c/a.h", 400),
        ]
    )
    func aFileHasOneLineTooMany(path: String, limit: Int) {
        let full = String(repeating: "\n", count: limit)
        #expect(SizeRule.checkFile(SourceFile(path: path, text: full)).isEmpty)
        let found = SizeRule.checkFile(SourceFile(path: path, text: full + "\n"))
        #expect(found.map(\.line) == [limit + 1])
    }

    @Test("a line has one column too many")
    func aLineHasOneColumnTooMany() {
        let full = String(repeating: "é", count: 100)
        let file = SourceFile(path: "Sources/A/A.swift", text: full + "\n" + full + "e\n")
        #expect(SizeRule.checkLines(file).map(\.line) == [2])
    }

    /// Two requirements, a short initialiser, a short function, and one of `lineCount` lines.
    static func example(lineCount: Int) -> SourceFile {
        let body = String(repeating: "        use(\"}\")\n", count: lineCount - 2)
        let text = """
            protocol P {
                func a(b: () -> Void)
                init(c: Int)
                var d: Int { get }
            }
            struct S {
                init(e: Int = { 1 }()) { self.init() }
                func long(f: [Int]) -> Int {
            \(body)    }
                func short() {}
            }
            """
        return SourceFile(path: "Sources/A/S.swift", text: text)
    }

    @Test("functions are measured from keyword to closing brace")
    func functionsAreMeasuredFromKeywordToClosingBrace() {
        let functions = SizeRule.functions(in: Self.example(lineCount: 12))
        #expect(functions.map(\.name) == ["init", "long", "short"])
        #expect(functions.map(\.line) == [7, 8, 20])
        #expect(functions.map(\.lineCount) == [1, 12, 1])
    }

    @Test("a function has one line too many, unless the ratchet allows it")
    func aFunctionHasOneLineTooManyUnlessTheRatchetAllowsIt() {
        let ratchet = ["Sources/A/S.swift:long": 71]
        #expect(SizeRule.checkFunctions(Self.example(lineCount: 70)).isEmpty)
        #expect(SizeRule.checkFunctions(Self.example(lineCount: 71)).map(\.line) == [8])
        #expect(SizeRule.checkFunctions(Self.example(lineCount: 71), allowing: ratchet).isEmpty)
        #expect(SizeRule.checkFunctions(Self.example(lineCount: 72), allowing: ratchet).count == 1)
    }

    @Test("a ratchet that is too loose or points nowhere is reported")
    func aRatchetThatIsTooLooseOrPointsNowhereIsReported() {
        let files = [Self.example(lineCount: 80)]
        func found(_ ratchet: [String: Int]) -> Int {
            SizeRule.checkRatchet(ratchet, against: files).count
        }
        #expect(found(["Sources/A/S.swift:long": 80]) == 0)
        #expect(found(["Sources/A/S.swift:long": 81]) == 1)
        #expect(found(["Sources/A/S.swift:gone": 80]) == 1)
        #expect(found(["Sources/A/Gone.swift:long": 80]) == 1)
        #expect(found(["Sources/A/S.swift:short": 1]) == 1)
    }
}
