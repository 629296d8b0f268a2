/// What an operator or a sink reads, and whether that fits what the plugin says.
extension PlanBuilder {
    mutating func resolveInputs(of node: JobGraph.Node) -> [Input] {
        node.inputs.enumerated().map { position, reference in
            // `validate` made sure that every reference names a node; topological order put it
            // in front of this one.
            guard let index = indexByID[reference.node] else {
                preconditionFailure("an input comes after its reader")
            }
            let outputs = nodes[index].outputs
            guard let name = reference.port else {
                if outputs.isEmpty && signatures[reference.node] != nil {
                    problems.append(
                        JobProblem(
                            at: reference.location,
                            path: node.inputPath(position),
                            found: "the operator '\(reference.node)' has no output",
                            expected: "an operator that emits something"
                        )
                    )
                }
                return Input(node: index, port: 0)
            }
            if let port = outputs.firstIndex(of: name) { return Input(node: index, port: port) }
            if signatures[reference.node] != nil {
                problems.append(
                    JobProblem(
                        at: reference.location,
                        path: node.inputPath(position),
                        found: "the operator '\(reference.node)' has no output '\(name)'",
                        expected: outputs.isEmpty ? nil : JobProblem.oneOf(outputs),
                        suggestion: NearestWord.find(name, among: outputs)
                    )
                )
            }
            return Input(node: index, port: 0)
        }
    }

    mutating func check(
        _ description: OperatorDescription,
        against signature: OperatorSignature,
        as node: JobGraph.Node
    ) {
        if description.inputs.count > signature.inputCount {
            problems.append(
                JobProblem(
                    at: description.inputs[signature.inputCount].location,
                    path: "\(node.path).inputs",
                    found: "\(description.inputs.count) inputs",
                    expected: signature.inputCount == 1
                        ? "1, as many as the operator has"
                        : "at most \(signature.inputCount), as many as the operator has"
                )
            )
        }
        if description.broadcasts.count > signature.broadcastInputCount {
            let most = signature.broadcastInputCount
            problems.append(
                JobProblem(
                    at: description.broadcasts[most].location,
                    path: "\(node.path).broadcast",
                    found: "\(description.broadcasts.count) broadcast inputs",
                    expected: most == 0
                        ? "none, as the operator takes none"
                        : "at most \(most), as many as the operator takes"
                )
            )
        }
        switch (signature.isKeyed, description.key) {
        case (true, nil):
            problems.append(
                JobProblem(
                    at: description.location,
                    path: node.path,
                    found: "no key for an operator that keeps state per key",
                    expected: "'key:'",
                    remedy: "name the field that is the key, for example 'key: id'"
                )
            )
        case (false, let key?):
            problems.append(
                JobProblem(
                    at: description.location,
                    path: "\(node.path).key",
                    found: "key '\(key.text)' for an operator that keeps no state per key",
                    remedy: "remove 'key:'"
                )
            )
        case (true, .some), (false, nil):
            break
        }
        checkExpiries(of: description, against: signature, as: node)
        if description.async != nil, !signature.isAsynchronous {
            problems.append(
                JobProblem(
                    at: description.location,
                    path: "\(node.path).async",
                    found: "settings for asynchronous calls of an operator that makes none",
                    remedy: "remove 'async:'"
                )
            )
        }
    }

    /// Refuses a time to live for a state that the plugin does not declare.
    private mutating func checkExpiries(
        of description: OperatorDescription,
        against signature: OperatorSignature,
        as node: JobGraph.Node
    ) {
        let known = signature.states + signature.formerStates
        for expiry in description.expiries where !known.contains(expiry.stateName) {
            problems.append(
                JobProblem(
                    at: expiry.location,
                    path: "\(node.path).state",
                    found: "the operator has no state '\(expiry.stateName)'",
                    expected: signature.states.isEmpty
                        ? "no 'state:', as the operator declares none"
                        : JobProblem.oneOf(signature.states),
                    suggestion: NearestWord.find(expiry.stateName, among: signature.states)
                )
            )
        }
    }

    /// Refuses `@key` on an input that comes straight from a source without keys.
    mutating func checkKey(_ key: KeySelector, inputs: [Input], of node: JobGraph.Node) {
        guard key == .recordKey else { return }
        for input in inputs {
            guard case .source(let source) = nodes[input.node].role else { continue }
            if case .generator(let generator) = source.kind, generator.emitsKeys { continue }
            // Whether they carry one is the plugin's business.
            if source.isUnparsed { continue }
            problems.append(
                JobProblem(
                    at: node.location,
                    path: "\(node.path).key",
                    found: "'@key', but the records of the source '\(source.id)' carry no key",
                    expected: "the name of a field"
                )
            )
        }
    }
}
