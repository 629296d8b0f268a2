/// What a request calls itself, so that its answers are found.
enum ControlID: Codable, Equatable, Sendable {
    case number(Int64)
    case text(String)
    case none

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .none
        } else if let number = try? container.decode(Int64.self) {  // else it has to be a text
            self = .number(number)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        case .none: try container.encodeNil()
        }
    }
}
