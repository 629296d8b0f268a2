/// Some calls are refused, each with what to use instead.
enum BannedRule {
    /// What only the modules that touch the real world may use.
    private static let seams: [(pattern: Pattern, instead: String)] = [
        ("Task.sleep", "wait on the clock seam"),
        ("DispatchQueue", "use a task thread, or structured concurrency"),
        ("Thread.", "threads are started by ApusIO"),
        ("pthread_", "threads are started by ApusIO"),
        ("Date()", "take the time from the clock seam"),
        ("ContinuousClock", "take the time from the clock seam"),
        ("SystemClock", "take the time from the clock seam"),
        ("clock_gettime", "take the time from the clock seam"),
        (".random(", "take random numbers from the entropy seam"),
        ("SystemRandomNumberGenerator", "take random numbers from the entropy seam"),
        ("UUID()", "take an id from the caller, or from the entropy seam"),
        ("FileManager", "go through the disk seam"),
        ("FileHandle", "go through the disk seam"),
        ("getenv", "read settings in apus and pass them down"),
    ].map { (Pattern($0), $1) }

    private static let everywhere: [(pattern: Pattern, instead: String)] = [
        ("try!", "handle the error, or throw it"),
        ("fatalError(", "use precondition with a reason, or throw"),
    ].map { (Pattern($0), $1) }

    private static let droppingTry = Pattern("try?")

    /// The uses of time, randomness, files and threads outside the modules that own them.
    static func checkSeams(_ file: SourceFile) -> [Finding] {
        guard let module = file.module, !Tables.seamModules.contains(module) else { return [] }
        return findings(of: seams, in: file).map { line, text, instead in
            file.finding(line, "\(text) in \(module)", fix: instead)
        }
    }

    /// What no product file may hold.
    static func checkEverywhere(_ file: SourceFile) -> [Finding] {
        guard file.module != nil else { return [] }
        let banned = findings(of: everywhere, in: file).map { line, text, instead in
            file.finding(line, "\(text) is banned", fix: instead)
        }
        let dropped = droppingTry.lines(in: file)
            .filter { file.comment($0).isEmpty }
            .map { line in
                file.finding(
                    line,
                    "try? drops the reason",
                    fix: "handle the error, or say at the end of the line why it does not matter"
                )
            }
        return banned + dropped
    }

    /// The unfinished business in the sources, in whatever language.
    static func checkUnfinished(_ file: SourceFile) -> [Finding] {
        guard file.path.hasPrefix("Sources/") || file.module != nil else { return [] }
        return file.lines.indices
            .filter { index in
                let line = file.lines[index]
                return Token.split(line.comment + " " + line.code, line: 1)
                    .contains { $0.text == "FIXME" }
            }
            .map { index in
                file.finding(
                    index + 1,
                    "FIXME cannot be merged",
                    fix: "fix it, or write a TODO that names what it waits for"
                )
            }
    }

    private static func findings(
        of banned: [(pattern: Pattern, instead: String)],
        in file: SourceFile
    ) -> [(line: Int, text: String, instead: String)] {
        banned.flatMap { pattern, instead in
            pattern.lines(in: file).map { ($0, pattern.text, instead) }
        }
    }
}
