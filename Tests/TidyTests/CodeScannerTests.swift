import Testing

/// Every rule trusts the scanner, so what it takes for code and what not is pinned here.
@Suite("Tidy: the scanner")
struct CodeScannerTests {
    @Test(
        "leaves out comments and the contents of literals",
        arguments: [
            (#"let a = "try! }" // why"#, #"let a = "" // why"#, "// why"),
            (#"f("a\(g("b") + h) c")"#, #"f("(g("") + h)")"#, ""),
            (##"let a = #"a "quoted" \(b)"# + c"##, ##"let a = #""# + c"##, ""),
            (##"let a = #"a \#(b)"#"##, ##"let a = #"(b)"#"##, ""),
            (##"let r = #/a"{/# + c"##, "let r = #//# + c", ""),
            (#"let a = "\"{\\" + b"#, #"let a = "" + b"#, ""),
            ("a /* b /* c */ d */ e", "a  e", "/* b /* c */ d */"),
            ("a / b / c", "a / b / c", ""),
        ]
    )
    func leavesOutCommentsAndTheContentsOfLiterals(text: String, code: String, comment: String) {
        let line = CodeScanner.scan(text, as: .swift).first
        #expect(line?.comment == comment)
        #expect((line?.code ?? "") + comment == code || line?.code == code)
    }

    @Test("a multi-line string is one literal")
    func aMultiLineStringIsOneLiteral() {
        let text = "let a = \"\"\"\n  } // \"not\" \\(b + \"c\")\n  \"\"\" + d\n"
        let lines = CodeScanner.scan(text, as: .swift)
        #expect(lines.map(\.code) == ["let a = \"\"\"", "(b + \"\")", "\"\"\" + d"])
    }

    @Test("an unclosed string ends with its line")
    func anUnclosedStringEndsWithItsLine() {
        let lines = CodeScanner.scan("let a = \"b\\\nlet c = 1\n", as: .swift)
        #expect(lines.map(\.code) == ["let a = \"", "let c = 1"])
    }

    @Test("C has character literals, and comments that do not nest")
    func cHasCharacterLiteralsAndCommentsThatDoNotNest() {
        #expect(
            CodeScanner.scan("x = '\"' + 1'000; /* a", as: .c).first?.code == "x = '' + 1'000; "
        )
        #expect(CodeScanner.scan("/* a /* b */ c", as: .c).first?.code == " c")
    }

    @Test("a pattern matches whole words, whatever the spaces")
    func aPatternMatchesWholeWordsWhateverTheSpaces() {
        func lines(_ pattern: String, _ text: String) -> [Int] {
            Pattern(pattern).lines(in: SourceFile(path: "A.swift", text: text))
        }
        #expect(lines("Task.sleep", "a\nawait Task . sleep(1)") == [2])
        #expect(lines("Thread.", "ownThread.name; Threads.all").isEmpty)
        #expect(lines("pthread_", "pthread_self()") == [1])
        #expect(lines("Date()", "UpDate(); Date(x)").isEmpty)
    }
}
