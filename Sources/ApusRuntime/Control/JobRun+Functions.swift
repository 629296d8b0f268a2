import ApusGraph

extension JobRun {
    /// What a node calls, `pow of libm.so.6: f64(f64, f64)`; nil for one that is no C function.
    package func functionSummary(of id: String) -> String? {
        guard let node = plan.nodes.first(where: { $0.id == id }),
            case .operator(let description, _) = node.role, let function = description.function
        else { return nil }
        return "\(function.name): \(function.signature.text)"
    }
}
