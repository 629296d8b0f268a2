/// The sources, operators and sinks of a job as one list with one set of names.
struct JobGraph {
    /// What kind of node it is.
    enum Role: String {
        case source
        case `operator`
        case sink
    }

    /// What all kinds of node have in common.
    struct Node {
        let id: String
        let role: Role
        /// What it reads; broadcast inputs come last.
        let inputs: [PortReference]
        /// How many of the inputs are broadcast.
        var broadcastCount = 0
        let location: SourceLocation

        /// The place of the node in the job file.
        var path: String { "spec.\(role)s[\(id)]" }

        /// The place of one of its inputs in the job file.
        func inputPath(_ index: Int) -> String {
            if index >= mainInputCount { return "\(path).broadcast[\(index - mainInputCount)]" }
            return mainInputCount == 1 ? "\(path).input" : "\(path).inputs[\(index)]"
        }

        /// How many of the inputs are not broadcast.
        var mainInputCount: Int { inputs.count - broadcastCount }
    }

    /// Sources, then operators, then sinks, each in the author's order.
    let nodes: [Node]

    /// The position in `nodes` of the first node with an id.
    let indexByID: [String: Int]

    init(_ job: JobDescription) {
        nodes =
            job.sources.map {
                Node(id: $0.id, role: .source, inputs: [], location: $0.location)
            }
            + job.operators.map {
                Node(
                    id: $0.id,
                    role: .operator,
                    inputs: $0.inputs + $0.broadcasts,
                    broadcastCount: $0.broadcasts.count,
                    location: $0.location
                )
            }
            + job.sinks.map {
                Node(id: $0.id, role: .sink, inputs: $0.inputs, location: $0.location)
            }
        indexByID = Dictionary(
            nodes.enumerated().map { ($1.id, $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The positions of all nodes such that each comes after the nodes it reads: sources first,
    /// sinks last, otherwise as early in the author's order as its inputs allow.
    ///
    /// - Precondition: The graph has no cycle and every input names a node.
    func topologicalOrder() -> [Int] {
        var order = nodes.indices.filter { nodes[$0].role == .source }
        var isPlaced = nodes.map { $0.role == .source }
        var waiting = nodes.indices.filter { nodes[$0].role == .operator }
        while !waiting.isEmpty {
            let ready = waiting.first { index in
                nodes[index].inputs.allSatisfy { isPlaced[indexByID[$0.node] ?? index] }
            }
            guard let ready else { preconditionFailure("the graph has a cycle") }
            order.append(ready)
            isPlaced[ready] = true
            waiting.removeAll { $0 == ready }
        }
        return order + nodes.indices.filter { nodes[$0].role == .sink }
    }

    /// The positions along one cycle, in the direction of the records; `nil` without a cycle.
    ///
    /// Walks with a stack of its own, because a long pipeline must not overflow the thread's.
    func findCycle() -> [Int]? {
        enum Mark { case new, open, done }
        var marks = [Mark](repeating: .new, count: nodes.count)
        for start in nodes.indices where marks[start] == .new {
            var walk = [(node: start, nextInput: 0)]
            marks[start] = .open
            while let step = walk.last {
                guard step.nextInput < nodes[step.node].inputs.count else {
                    marks[step.node] = .done
                    walk.removeLast()
                    continue
                }
                walk[walk.count - 1].nextInput += 1
                let input = nodes[step.node].inputs[step.nextInput]
                guard let upstream = indexByID[input.node] else { continue }
                if nodes[upstream].role == .sink { continue }  // An error of its own.
                if marks[upstream] == .open,
                    let entry = walk.firstIndex(where: { $0.node == upstream })
                {
                    // The walk goes against the flow, so its reverse is the cycle.
                    let cycle = walk[entry...].map(\.node).reversed()
                    return Self.rotated(Array(cycle))
                }
                if marks[upstream] == .new {
                    marks[upstream] = .open
                    walk.append((upstream, 0))
                }
            }
        }
        return nil
    }

    /// The same cycle, starting at the node that comes first in the file.
    private static func rotated(_ cycle: [Int]) -> [Int] {
        let start = cycle.indices.min { cycle[$0] < cycle[$1] } ?? 0
        return Array(cycle[start...] + cycle[..<start])
    }
}
