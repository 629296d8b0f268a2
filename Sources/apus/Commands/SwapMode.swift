import ArgumentParser

/// What `apus bench swap` measures.
enum SwapMode: String, CaseIterable, ExpressibleByArgument {
    case code
    case schema
    case prepare
    case flip
    case endurance
    case versions
    case diamond

    /// One line for the help text.
    var summary: String {
        switch self {
        case .code: "another instance of the same plugin takes over"
        case .schema: "another schema of the state, and back"
        case .prepare: "another file of 20 MB (of --plugin FILE), which is checked and loaded"
        case .flip: "a version that nobody has called goes back, and one that was called"
        case .endurance: "two versions in turns, without a pause; what that leaves behind"
        case .versions: "the same, and each time another file (of --plugin FILE)"
        case .diamond: "four operators at one barrier; records that versions are mixed in"
        }
    }
}
