public import ApusSDK
internal import Foundation

/// Keeps any `Codable` type in state, as JSON: `ValueState<CodableValue<Ticket>>("ticket")`.
///
/// For types that are `Codable` already, and for what is used rarely: it is slower than a
/// ``StateCodable`` conformance of their own, and needs Foundation.  The bytes are readable in
/// `apus state`, their keys sorted, so that equal values have equal bytes.  Fields that are
/// added as optionals need no migration.
public struct CodableValue<Value: Codable>: StateCodable {
    /// The value.
    public var value: Value

    /// Wraps a value.
    public init(_ value: Value) {
        self.value = value
    }

    /// Reads a value back.
    ///
    /// - Throws: ``OperatorError`` when the bytes are not JSON of the type.
    public init(from decoder: inout StateDecoder) throws {
        let bytes = decoder.takeRest()
        do {
            value = try JSONDecoder().decode(Value.self, from: Data(bytes))
        } catch {
            throw OperatorError("stored JSON is no \(Value.self): \(error)")
        }
    }

    /// Appends the JSON of the value.
    ///
    /// A value that JSON cannot say, such as a number that is infinite, is stored as nothing, which
    /// is an error when it is read.
    public func encode(into encoder: inout StateEncoder) {
        let json = JSONEncoder()
        json.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        for byte in (try? json.encode(value)) ?? Data() {  // what follows is said above
            encoder.append(byte)
        }
    }
}

extension CodableValue: Equatable where Value: Equatable {}
