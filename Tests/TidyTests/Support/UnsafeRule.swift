/// Unsafe pointers stay in a few modules, and each file that uses them says why that is safe.
enum UnsafeRule {
    /// The unsafe pointers of a product file that may not be there, or are not explained.
    static func check(
        _ file: SourceFile,
        allowing files: Set<String> = Tables.unsafeFiles
    ) -> [Finding] {
        guard let module = file.module, let use = file.tokens.first(where: isUnsafe) else {
            return []
        }
        guard Tables.unsafeModules.contains(module) || files.contains(file.path) else {
            return [
                file.finding(
                    use.line,
                    "\(use.text) in \(module)",
                    fix:
                        "move it to a module that may, use a span, or list it in Tables.unsafeFiles"
                )
            ]
        }
        guard !file.lines.contains(where: { $0.comment.contains("// SAFETY:") }) else { return [] }
        return [
            file.finding(
                use.line,
                "\(use.text) without any '// SAFETY:' comment in the file",
                fix: "say who checked the bound, who keeps it alive, and which thread this is"
            )
        ]
    }

    private static func isUnsafe(_ token: Token) -> Bool {
        token.text.contains("Unsafe") || token.text == "Unmanaged"
    }
}
