/// The head of a request.
struct ControlHead: Decodable {
    let id: ControlID
    let method: String
}

/// The parameters of a request.
struct ControlParameters<Value: Decodable>: Decodable {
    let params: Value
}

/// A request, for the asking end.
struct ControlRequest<Value: Encodable>: Encodable {
    let id: Int64
    let method: String
    let params: Value
}
