import ApusFunctions
import ApusGraph
import ApusIO
import ApusMemory
import ApusTestPlugins
import CApusPlugin

/// A function of the test library, and values to call it with.
final class FunctionWorld {
    let evaluator: FunctionEvaluator
    /// Keeps the records alive that the output borrows from.
    private var batch = RecordBatch(recordCapacity: 1, arenaCapacity: 16)

    /// Finds a function.
    init(
        _ symbol: String,
        _ signature: String,
        _ arguments: [FunctionDescription.Argument] = [.place(.field(["x"]))],
        use: FunctionDescription.Use = .map(.field(["r"])),
        noValue: FunctionDescription.NoValue = .null,
        isThreadSafe: Bool = false,
        library: String? = nil
    ) throws {
        let function = try FunctionWorld.bind(
            symbol,
            signature,
            arguments,
            use: use,
            noValue: noValue,
            isThreadSafe: isThreadSafe,
            library: library
        )
        evaluator = FunctionEvaluator(function, owner: "operator test", recordsPerBatch: 64)
    }

    /// Calls a function that was found before.
    init(_ function: BoundFunction) {
        evaluator = FunctionEvaluator(function, owner: "operator test", recordsPerBatch: 64)
    }

    static func bind(
        _ symbol: String,
        _ signature: String,
        _ arguments: [FunctionDescription.Argument],
        use: FunctionDescription.Use = .map(.field(["r"])),
        noValue: FunctionDescription.NoValue = .null,
        isThreadSafe: Bool = false,
        library: String? = nil
    ) throws -> BoundFunction {
        let path = try library ?? TestPlugin.functions()
        return try BoundFunction(
            FunctionDescription(
                library: "test",
                symbol: symbol,
                signature: try FunctionSignatureParser.parse(signature),
                arguments: arguments,
                use: use,
                noValue: noValue,
                isThreadSafe: isThreadSafe,
                location: SourceLocation(line: 1, column: 1)
            ),
            path: path,
            disk: LinuxDisk()
        )
    }

    /// What becomes of some values: the records that come out, and why others do not.
    func evaluate(_ values: [String]) throws -> (values: [String], reasons: [Int: String]) {
        batch = RecordBatch(recordCapacity: max(1, values.count), arenaCapacity: 4096)
        for (index, value) in values.enumerated() {
            var text = value
            let key = Array("k\(index)".utf8)
            let isAppended = text.withUTF8 { value in
                key.withUnsafeBytes {
                    batch.append(key: $0, value: UnsafeRawBufferPointer(value), time: Int64(index))
                }
            }
            precondition(isAppended, "there is room")
        }
        let output = try evaluator.evaluate(batch)
        let kept = (0..<output.count).map { index in
            String(decoding: output.bytes(of: output.values + index), as: UTF8.self)
        }
        let reasons = evaluator.rejections.map { ($0.record, $0.reason) }
        return (kept, Dictionary(uniqueKeysWithValues: reasons))
    }

    /// What becomes of one value.
    func one(_ value: String) throws -> String {
        let result = try evaluate([value])
        return result.values.first ?? result.reasons[0] ?? "dropped"
    }

    /// The keys, times and kinds of the last output.
    func identities(_ values: [String]) throws -> [String] {
        _ = try evaluate(values)
        let output = try evaluator.evaluate(batch)
        return (0..<output.count).map { index in
            let key = String(decoding: output.bytes(of: output.keys + index), as: UTF8.self)
            return "\(key) \(output.times[index]) \(output.kinds[index])"
        }
    }
}

extension FunctionDescription.Argument {
    /// A field at the top.
    static func field(_ name: String) -> FunctionDescription.Argument { .place(.field([name])) }
}
