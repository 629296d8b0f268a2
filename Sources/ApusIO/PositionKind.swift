/// What a position is the position of: its first byte.
enum PositionKind: UInt8 {
    case file = 0x46
    case generator = 0x47
    case outputFile = 0x4f
    case outputFolder = 0x50
    case outputStream = 0x53
    /// Written elsewhere: of the splits of a plugin's source.
    case splits = 0x58
    /// Written elsewhere: of a plugin's sink.
    case epochs = 0x59

    /// For messages.
    var words: String {
        switch self {
        case .file: "a file that is read"
        case .generator: "a generator"
        case .outputFile: "a file that is written"
        case .outputFolder: "a folder of files that are written"
        case .outputStream: "an output stream"
        case .splits: "a source of a plugin"
        case .epochs: "a sink of a plugin"
        }
    }
}
