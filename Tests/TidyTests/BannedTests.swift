import Testing

/// Time, randomness, files and threads come through seams; errors are not dropped.
@Suite("Tidy: banned calls")
struct BannedTests {
    @Test("the real world is touched only in its modules")
    func theRealWorldIsTouchedOnlyInItsModules() {
        expectNone(Repository.swift.flatMap(BannedRule.checkSeams))
    }

    @Test("no error is dropped or turned into a trap")
    func noErrorIsDroppedOrTurnedIntoATrap() {
        expectNone(Repository.swift.flatMap(BannedRule.checkEverywhere))
    }

    @Test("nothing unfinished is merged")
    func nothingUnfinishedIsMerged() {
        expectNone(Repository.code.flatMap(BannedRule.checkUnfinished))
    }

    @Test(
        "finds calls that go around the seams",
        arguments: [
            "try await Task.sleep(for: .seconds(1))", "DispatchQueue.main", "Thread.current",
            "pthread_create(&a, nil, b, nil)", "let a = Date()", "ContinuousClock().now",
            "SystemClock.now", "clock_gettime(a, &b)", "Int.random(in: 0..<1)",
            "var a = SystemRandomNumberGenerator()", "UUID()", "FileManager.default",
            "FileHandle(forReadingAtPath: a)", "getenv(\"A\")",
        ]
    )
    func findsCallsThatGoAroundTheSeams(line: String) {
        let text = "// " + line + "\nlet s = #\"" + line + "\"#\n" + line
        func lines(_ path: String) -> [Int] {
            BannedRule.checkSeams(SourceFile(path: path, text: text)).map(\.line)
        }
        #expect(lines("Sources/ApusRuntime/A.swift") == [3])
        #expect(lines("Plugins/Windows/A.swift") == [3])
        #expect(lines("Sources/ApusIO/A.swift").isEmpty)
        #expect(lines("Sources/apus/A.swift").isEmpty)
        #expect(lines("Tests/ApusCoreTests/A.swift").isEmpty)
    }

    @Test(
        "finds dropped errors and traps",
        arguments: ["try! a()", "fatalError(\"a\")", "let a = try? b()", "// x\ntry? a()"]
    )
    func findsDroppedErrorsAndTraps(text: String) {
        let file = SourceFile(path: "Sources/apus/A.swift", text: text)
        #expect(BannedRule.checkEverywhere(file).map(\.line) == [file.text.count])
    }

    @Test("accepts a dropped error with its reason beside it")
    func acceptsADroppedErrorWithItsReasonBesideIt() {
        let text = "try? close()  // the file is gone either way\ntry a()\nlet b = c as? D"
        let file = SourceFile(path: "Sources/apus/A.swift", text: text)
        #expect(BannedRule.checkEverywhere(file).isEmpty)
    }

    @Test("finds unfinished business in any language")
    func findsUnfinishedBusinessInAnyLanguage() {
        func lines(_ path: String, _ text: String) -> [Int] {
            BannedRule.checkUnfinished(SourceFile(path: path, text: text)).map(\.line)
        }
        #expect(lines("Sources/A/A.swift", "a()\n// FIXME: later") == [2])
        #expect(lines("Sources/CApusShims/a.c", "/* FIXME */") == [1])
        #expect(lines("Sources/A/A.swift", "// TODO: see docs/decisions").isEmpty)
    }
}
