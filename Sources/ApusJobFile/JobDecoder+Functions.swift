import ApusGraph

/// Operators that are C functions.
extension JobDecoder {
    private static let example = "'function: { library: libm.so.6, symbol: pow, ... }'"

    /// Reads the `function` of an operator; `nil` if it has none, or none that can be called.
    func decodeFunction(_ parent: ObjectReader<OperatorKey>) -> FunctionDescription? {
        guard let node = parent.value(.function) else { return nil }
        for key in [OperatorKey.plugin, .component, .broadcast, .state, .async, .config]
        where parent.has(key) {
            parent.report(
                key,
                "'\(key.rawValue)' beside 'function'",
                remedy: key == .plugin
                    ? "an operator is of a plugin or is a function: remove one of the two"
                    : "a C function has no such thing: remove it"
            )
        }
        let path = parent.path(.function)
        guard let reader = ObjectReader<FunctionKey>(node, path: path, log: log) else {
            return nil
        }
        let libraryRule = "a library that the dynamic linker finds, or a path with a '/'"
        reader.require(.library, libraryRule)
        reader.require(.symbol, "the name of a C function")
        reader.require(.signature, "the types, such as \"f64(f64, f64)\"")
        let library = reader.string(.library, expected: libraryRule)
        let symbol = decodeSymbol(reader)
        let noValue = decodeNoValue(reader)
        let isThreadSafe = reader.boolean(.threadSafe) ?? false
        let isPure = reader.boolean(.pure) ?? false
        guard let signature = decodeSignature(reader) else { return nil }
        let arguments = decodeArguments(reader, signature)
        let samples = decodeSamples(reader, signature)
        guard let use = decodeUse(reader, signature), let library, let symbol, let arguments else {
            return nil
        }
        return FunctionDescription(
            library: library,
            symbol: symbol,
            signature: signature,
            arguments: arguments,
            use: use,
            noValue: noValue,
            isThreadSafe: isThreadSafe,
            isPure: isPure,
            samples: samples,
            location: node.location
        )
    }

    private func decodeSymbol(_ reader: ObjectReader<FunctionKey>) -> String? {
        let expected = "the name of a C function"
        guard let text = reader.string(.symbol, expected: expected) else { return nil }
        let isName = text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f } && text.utf8.count <= 1000
        if isName && !text.contains("(") { return text }
        reader.report(
            .symbol,
            reader.value(.symbol)?.summary ?? "",
            expected: expected,
            remedy: text.contains("(") ? "types go to 'signature'" : nil
        )
        return nil
    }

    private func decodeSignature(_ reader: ObjectReader<FunctionKey>) -> FunctionSignature? {
        guard let text = reader.string(.signature, expected: "such as \"f64(f64, f64)\"") else {
            return nil
        }
        do {
            return try FunctionSignatureParser.parse(text)
        } catch {
            reader.report(
                .signature,
                error.found,
                expected: error.expected,
                remedy: error.remedy,
                suggestion: error.suggestion
            )
            return nil
        }
    }

    private func decodeNoValue(_ reader: ObjectReader<FunctionKey>) -> FunctionDescription.NoValue {
        // Without quotes, `null` is no string in YAML.
        if let node = reader.value(.noValue), node.isNull { return .null }
        return reader.choice(.noValue, FunctionDescription.NoValue.self) ?? .null
    }

    // MARK: - Arguments

    private func decodeArguments(
        _ reader: ObjectReader<FunctionKey>,
        _ signature: FunctionSignature
    ) -> [FunctionDescription.Argument]? {
        let wanted = signature.arguments
        let rule =
            wanted.count == 1
            ? "a list of 1 argument, for '\(wanted[0].text)'"
            : "a list of \(wanted.count) arguments, for \(signature.text)"
        guard reader.has(.arguments) else {
            if wanted.isEmpty { return [] }
            reader.require(.arguments, rule)
            return nil
        }
        guard let elements = reader.elements(.arguments) else { return nil }
        guard elements.count == wanted.count else {
            reader.report(.arguments, Self.count(elements.count, "argument"), expected: rule)
            return nil
        }
        let arguments = zip(elements, wanted).compactMap { element, parameter in
            decodeArgument(element.node, at: element.path, for: parameter, in: signature)
        }
        return arguments.count == wanted.count ? arguments : nil
    }

    private func decodeArgument(
        _ node: DocumentNode,
        at path: DocumentPath,
        for parameter: FunctionSignature.Parameter,
        in signature: FunctionSignature
    ) -> FunctionDescription.Argument? {
        let expected =
            "'$' for the whole value, '$.name' for a field, or a constant for "
            + "'\(parameter.text)'"
        guard case .scalar(let scalar) = node.content else {
            if !node.isInvalid { log.add(node, path, node.summary, expected: expected) }
            return nil
        }
        if case .string(let text) = PlainScalar(scalar), text.hasPrefix("$") {
            if text.hasPrefix("$$") {
                return constant(String(text.dropFirst()), node, path, parameter)
            }
            if signature.isBatch, !parameter.isOfBatch {
                log.add(
                    node,
                    path,
                    "'\(text)' for '\(parameter.text)' in a function over columns",
                    expected: "a constant",
                    remedy: "or declare the parameter as '\(parameter.text)[]'"
                )
                return nil
            }
            let remedy = "a constant that begins with '$' is written with '$$'"
            return place(text, node, path, expected, remedy).map { .place($0) }
        }
        return constant(scalar, node, path, parameter)
    }

    private func constant(
        _ scalar: DocumentNode.Scalar,
        _ node: DocumentNode,
        _ path: DocumentPath,
        _ parameter: FunctionSignature.Parameter
    ) -> FunctionDescription.Argument? {
        let isString: Bool
        if case .string = PlainScalar(scalar) { isString = true } else { isString = false }
        if case .null = PlainScalar(scalar) {
            log.add(node, path, node.summary, expected: "a value for '\(parameter.text)'")
            return nil
        }
        if parameter.isText != isString {
            log.add(
                node,
                path,
                node.summary,
                expected: "a value for '\(parameter.text)'",
                remedy: parameter.isText
                    ? "put it in quotes"
                    : "a field of the record is written '$.name'"
            )
            return nil
        }
        return constant(scalar.text, node, path, parameter)
    }

    private func constant(
        _ text: String,
        _ node: DocumentNode,
        _ path: DocumentPath,
        _ parameter: FunctionSignature.Parameter
    ) -> FunctionDescription.Argument? {
        guard let problem = parameter.problem(of: text) else { return .constant(text) }
        log.add(node, path, node.summary, expected: problem)
        return nil
    }

    private func place(
        _ text: String,
        _ node: DocumentNode,
        _ path: DocumentPath,
        _ expected: String,
        _ remedy: String? = nil
    ) -> FunctionDescription.Place? {
        if text == "$" { return .whole }
        let names = text.dropFirst(2).split(separator: ".", omittingEmptySubsequences: false)
        guard text.hasPrefix("$."), !names.contains("") else {
            log.add(
                node,
                path,
                node.summary,
                expected: expected,
                remedy: remedy
            )
            return nil
        }
        return .field(names.map(String.init))
    }

    // MARK: - Results

    private func decodeUse(
        _ reader: ObjectReader<FunctionKey>,
        _ signature: FunctionSignature
    ) -> FunctionDescription.Use? {
        let name = reader.choice(.use, FunctionDescription.UseName.self) ?? .map
        let expected = "'$' for the whole value, or '$.name' for a field"
        switch name {
        case .filter:
            if reader.has(.result) {
                reader.report(
                    .result,
                    "'result' of a filter",
                    remedy: "a filter keeps records as they are: remove it"
                )
                return nil
            }
            if case .string = signature.output {
                reader.report(
                    .signature,
                    "a string as the result of a filter",
                    expected: "a number or 'bool', which keeps the record unless it is zero"
                )
                return nil
            }
            return .filter
        case .map:
            guard reader.require(.result, "\(expected), or 'as: filter'"),
                let node = reader.value(.result),
                let text = reader.string(.result, expected: expected)
            else { return nil }
            return place(text, node, reader.path(.result), expected).map { .map($0) }
        }
    }

    // MARK: - Samples

    private func decodeSamples(
        _ reader: ObjectReader<FunctionKey>,
        _ signature: FunctionSignature
    ) -> [[String]]? {
        guard reader.has(.samples), let rows = reader.elements(.samples) else { return nil }
        let wanted = signature.arguments
        return rows.compactMap { row, path in
            guard case .list(let nodes) = row.content, nodes.count == wanted.count else {
                if !row.isInvalid {
                    log.add(
                        row,
                        path,
                        row.summary,
                        expected: "a list of \(Self.count(wanted.count, "value")), one for each "
                            + "argument of \(signature.text)"
                    )
                }
                return nil
            }
            return zip(nodes, wanted).enumerated().compactMap { index, pair in
                let (node, parameter) = pair
                let place = path.element(index, node)
                guard case .scalar(let scalar) = node.content,
                    case .constant(let text)? = constant(scalar, node, place, parameter)
                else {
                    if case .scalar = node.content { return nil }
                    log.add(node, place, node.summary, expected: "a '\(parameter.text)'")
                    return nil
                }
                return text
            }
        }
    }

    private static func count(_ count: Int, _ noun: String) -> String {
        count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
    }
}
