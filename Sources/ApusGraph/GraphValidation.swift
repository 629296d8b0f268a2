/// What is wrong, and what is odd, with the graph of a job.
package struct GraphValidation: Sendable, Hashable {
    /// What keeps the job from running.
    package var errors: [JobProblem] = []

    /// What the author probably did not mean.
    ///
    /// Empty when there are errors, which often cause it.
    package var warnings: [JobProblem] = []
}

extension JobDescription {
    /// Checks everything about the graph that can be known without the plugins.
    ///
    /// - Complexity: O(nodes + inputs), and O(nodes) more for each misspelt input.
    package func validate() -> GraphValidation {
        var validation = GraphValidation()
        let graph = JobGraph(self)
        validation.errors += checkCounts(graph)
        validation.errors += validateSettings()
        guard graph.nodes.count <= Self.nodeCountMax else { return validation }
        validation.errors += graph.checkUniqueIDs()
        validation.errors += graph.checkInputs()
        if let cycle = graph.checkCycles() { validation.errors.append(cycle) }
        validation.errors += checkEventTimes(graph)
        if validation.errors.isEmpty {
            validation.warnings = findVainSettings() + graph.checkReaders()
        }
        return validation
    }

    /// Checks what can be known without the graph: settings that contradict each other.
    package func validateSettings() -> [JobProblem] {
        checkParallelism() + checkDurability()
    }

    private func checkParallelism() -> [JobProblem] {
        guard let parallelism, parallelism > maxParallelism else { return [] }
        return [
            JobProblem(
                at: nil,
                path: "spec.parallelism",
                found: "parallelism \(parallelism) is more than max-parallelism \(maxParallelism)",
                expected: "1 to \(maxParallelism)"
            )
        ]
    }

    private func checkCounts(_ graph: JobGraph) -> [JobProblem] {
        var problems: [JobProblem] = []
        if sources.isEmpty {
            problems.append(
                JobProblem(
                    at: nil,
                    path: "spec.sources",
                    found: "no sources",
                    expected: "at least one"
                )
            )
        }
        if graph.nodes.count > Self.nodeCountMax {
            problems.append(
                JobProblem(
                    at: nil,
                    path: "spec",
                    found: "\(graph.nodes.count) sources, operators and sinks",
                    expected: "at most \(Self.nodeCountMax)"
                )
            )
        }
        return problems
    }
}

extension JobGraph {
    /// An error for each node whose id an earlier node already has.
    fileprivate func checkUniqueIDs() -> [JobProblem] {
        nodes.enumerated().compactMap { index, node in
            guard let first = indexByID[node.id], first != index else { return nil }
            return JobProblem(
                at: node.location,
                path: node.path,
                found: "the id '\(node.id)' is already taken, by \(nodes[first].path) "
                    + "in line \(nodes[first].location.line)",
                expected: "an id that no other source, operator or sink has"
            )
        }
    }

    /// An error for each input that is missing or is not the output of a node.
    fileprivate func checkInputs() -> [JobProblem] {
        let readable = nodes.filter { $0.role != .sink }.map(\.id)
        var problems: [JobProblem] = []
        for node in nodes where node.role != .source {
            if node.mainInputCount == 0 {
                problems.append(
                    JobProblem(
                        at: node.location,
                        path: "\(node.path).input",
                        found: "no input",
                        expected: "the id of a source or of an operator"
                    )
                )
            }
            for index in node.inputs.indices {
                guard var problem = check(node, inputIndex: index, readable: readable) else {
                    continue
                }
                let name = node.inputs[index].node
                if indexByID[name] == nil && problems.count < Self.suggestionCountMax {
                    problem.suggestion = NearestWord.find(name, among: readable)
                }
                problems.append(problem)
            }
        }
        return problems
    }

    /// After so many problems no near words are searched: that takes the square of the nodes.
    private static let suggestionCountMax = 20

    private func check(_ node: Node, inputIndex: Int, readable: [String]) -> JobProblem? {
        let input = node.inputs[inputIndex]
        let path = node.inputPath(inputIndex)
        guard let index = indexByID[input.node] else {
            return JobProblem(
                at: input.location,
                path: path,
                found: "unknown node '\(input.node)'",
                expected: readable.isEmpty ? nil : JobProblem.oneOf(readable)
            )
        }
        switch (nodes[index].role, input.port) {
        case (.sink, _):
            return JobProblem(
                at: input.location,
                path: path,
                found: "'\(input.node)' is a sink, which has no output",
                expected: "the id of a source or of an operator"
            )
        case (.source, let port?):
            return JobProblem(
                at: input.location,
                path: path,
                found: "the source '\(input.node)' has no output '\(port)'",
                expected: "'\(input.node)', its only output"
            )
        case (.source, nil), (.operator, _):
            return nil
        }
    }

    /// An error that names the nodes of one cycle, if there is a cycle.
    fileprivate func checkCycles() -> JobProblem? {
        guard let cycle = findCycle(), let first = cycle.first else { return nil }
        let ids = (cycle + [first]).map { nodes[$0].id }
        return JobProblem(
            at: nodes[first].location,
            path: nodes[first].path,
            found: "cycle \(ids.joined(separator: " -> "))",
            expected: "a graph without cycles",
            remedy: "remove one of these inputs"
        )
    }

    /// A warning for each source and operator that no other node reads.
    fileprivate func checkReaders() -> [JobProblem] {
        let read = Set(nodes.flatMap { $0.inputs.map(\.node) })
        return nodes.filter { $0.role != .sink && !read.contains($0.id) }
            .map { node in
                JobProblem(
                    at: node.location,
                    path: node.path,
                    found: "nobody reads the \(node.role) '\(node.id)'; what it emits is dropped"
                )
            }
    }
}
