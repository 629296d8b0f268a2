import Foundation

/// Bytes that are base64 in JSON.
@propertyWrapper
package struct Base64Bytes: Codable, Equatable, Sendable {
    /// The bytes.
    package var wrappedValue: [UInt8]

    /// Creates the wrapper.
    package init(wrappedValue: [UInt8]) {
        self.wrappedValue = wrappedValue
    }

    // doc: inherited
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let data = Data(base64Encoded: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not base64")
        }
        wrappedValue = Array(data)
    }

    // doc: inherited
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Data(wrappedValue).base64EncodedString())
    }
}
