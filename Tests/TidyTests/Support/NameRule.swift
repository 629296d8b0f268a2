/// A Swift file is named after the type that it declares or extends.
enum NameRule {
    /// Whether `Foo.swift` holds `Foo`, `Foo+Bar.swift` extends `Foo`, `Foo.Bar.swift` holds `Bar`.
    static func check(_ file: SourceFile) -> [Finding] {
        guard file.path.hasPrefix("Sources/"), file.module != nil, file.name != "main.swift" else {
            return []
        }
        let stem = file.name.dropLast(".swift".count)
        let base = String(stem.prefix { $0 != "+" })
        let last = base.split(separator: ".").last.map(String.init) ?? base
        let extended = extendedTypes(in: file)
        let isNamed =
            stem.contains("+")
            ? extended.contains(base)
            : extended.contains(base) || declaredTypes(in: file).contains(last)
        guard !isNamed else { return [] }
        return [
            file.finding(
                1,
                "nothing here is called \(base)",
                fix: "name the file after its main type: Foo.swift, or Foo+Bar.swift to extend Foo"
            )
        ]
    }

    private static let typeKeywords: Set<String> = [
        "struct", "enum", "class", "actor", "protocol", "typealias", "macro",
    ]

    private static func declaredTypes(in file: SourceFile) -> Set<String> {
        let pairs = zip(file.tokens, file.tokens.dropFirst())
        return Set(pairs.filter { typeKeywords.contains($0.0.text) }.map(\.1.text))
    }

    /// The extended types as written, and their first and last parts: `A.B`, `A`, `B`.
    private static func extendedTypes(in file: SourceFile) -> Set<String> {
        let tokens = file.tokens
        var names: Set<String> = []
        for index in tokens.indices where tokens[index].text == "extension" {
            var parts: [String] = []
            var rest = tokens[(index + 1)...]
            while let token = rest.first, token.isWord {
                parts.append(token.text)
                rest = rest.dropFirst()
                guard rest.first?.text == "." else { break }
                rest = rest.dropFirst()
            }
            names.formUnion(parts.prefix(1) + parts.suffix(1) + [parts.joined(separator: ".")])
        }
        return names
    }
}
